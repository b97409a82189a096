import type { FailureOutcome } from "@coterie/core";
import type { KvGetReply, KvScanItem, KvSibling, KvWriteReply } from "@coterie/protocol";
import { Context } from "./context.ts";
import { CoterieError } from "./coterie-error.ts";
import type { Read, ScanEntry, Single, Version, WriteResult } from "./results.ts";
import { type Maybe, type ValueCodec, andThen } from "./value-codec.ts";

const textDecoder = new TextDecoder();

/** What a reply to a get says, its values decoded. */
export function readReply<Output>(
  { siblings, context, acks }: KvGetReply,
  codec: Pick<ValueCodec<never, Output>, "decode">,
): Maybe<Read<Output>> {
  const known = contextOf(context, "refused");
  const [first] = siblings;
  if (first === undefined) return { kind: "absent", context: known, acks };
  if (known === undefined) throw senseless("a value without a context", "refused");
  if (siblings.length === 1) {
    return andThen(codec.decode(first.value), (value): Single<Output> => {
      return { kind: "value", ...versionOf(first, value), context: known, acks };
    });
  }
  return andThen(allOf(siblings.map(({ value }) => codec.decode(value))), (values) => {
    const versions = siblings.map((sibling, at) => versionOf(sibling, values[at] as Output));
    return { kind: "siblings", siblings: versions, values, context: known, acks };
  });
}

export function writeReply({ context, siblings, acks }: KvWriteReply): WriteResult {
  // The write may have happened, whatever the node says of it.
  return { context: contextOf(context, "unknown"), siblings, acks };
}

export function scanEntry({ key, context, siblings, bytes }: KvScanItem): ScanEntry {
  const known = contextOf(context, "refused");
  return { key, text: textDecoder.decode(key), context: known, siblings, bytes };
}

function contextOf(text: string | undefined, outcome: FailureOutcome): Context | undefined {
  if (text === undefined) return undefined;
  const context = Context.tryParse(text);
  if (context === undefined) throw senseless("a context that is none", outcome);
  return context;
}

function senseless(what: string, outcome: FailureOutcome): CoterieError {
  const message = `the node answered with ${what}`;
  return new CoterieError({ code: "internal", message, outcome });
}

function versionOf<Output>(sibling: KvSibling, value: Output): Version<Output> {
  const { contentType, dot, writtenAtMs, expiresAtMs } = sibling;
  const expiresAt = expiresAtMs === 0 ? undefined : new Date(expiresAtMs);
  return { value, contentType, dot, writtenAt: new Date(writtenAtMs), expiresAt };
}

function allOf<Value>(values: readonly Maybe<Value>[]): Maybe<readonly Value[]> {
  const areThere = values.every((value) => !(value instanceof Promise));
  return areThere ? (values as readonly Value[]) : Promise.all(values);
}
