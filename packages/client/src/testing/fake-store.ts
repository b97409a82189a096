import {
  type ActorId,
  type CausalContext,
  type CausalRecord,
  type ErrorCode,
  type HashSpace,
  HybridClock,
  type Key,
  type Sibling,
  applyDelete,
  applyPut,
  base64url,
  compareBytes,
  compareTokens,
  contextAfterPut,
  contextOf,
  ContextSeal,
  decodeContext,
  dropExpired,
  emptyRecord,
  encodeContext,
  errorTable,
  forever,
  fromBase64url,
  latin1,
  tokenOf,
  unexpiredSiblings,
  utf8,
} from "@coterie/core";
import type {
  KvAcks,
  KvDelete,
  KvFailure,
  KvGet,
  KvPut,
  KvReply,
  KvScan,
  KvSibling,
} from "@coterie/protocol";

/** In whose order a scan goes. */
const space: HashSpace = { hash: "md5", partitions: 1 };
const pageSizeDefault = 1000;
const contextSeal: ContextSeal = new ContextSeal(utf8("the contexts of a fake cluster"));

/** Any request but a Cancel. */
export type StoreRequest = KvGet | KvPut | KvDelete | KvScan;

export interface StoreInput {
  /** The node that coordinates the request: its dots are minted under this actor. */
  readonly actor: ActorId;
  readonly wallMs: number;
  readonly acks: KvAcks;
}

/** What a fake cluster holds: real records under the real laws of causality, in memory. */
export class FakeStore {
  readonly #buckets: ReadonlyMap<string, Map<string, { key: Key; record: CausalRecord }>>;
  readonly #clock = new HybridClock();
  #counter = 0;

  constructor(buckets: readonly string[]) {
    this.#buckets = new Map(buckets.map((name) => [name, new Map()]));
  }

  handle(request: StoreRequest, input: StoreInput): KvReply {
    if (!this.#buckets.has(request.bucket)) {
      return failure("no-such-bucket", `there is no bucket ${request.bucket}`, input.acks);
    }
    switch (request.kind) {
      case "get":
        return this.#get(request, input);
      case "put":
        return this.#put(request, input);
      case "delete":
        return this.#delete(request, input);
      case "scan":
        break;
    }
    return this.#scan(request, input);
  }

  #get(key: Key, { acks, wallMs }: StoreInput): KvReply {
    const record = this.#record(key);
    if (record === undefined) return { kind: "get", siblings: [], context: undefined, acks };
    const context = contextText(contextOf(record), key);
    const siblings = unexpiredSiblings(record.siblings, wallMs).map(shown);
    return { kind: "get", siblings, context, acks };
  }

  #put(request: KvPut, { acks, actor, wallMs }: StoreInput): KvReply {
    const { bucket, key, value, contentType, writeId, ttlMs, expiresAtMs } = request;
    const place = { bucket, key };
    const held = dropExpired(this.#record(place) ?? emptyRecord, wallMs);
    const isRepeat = held.siblings.some((sibling) => sibling.writeId === writeId);
    if (request.ifAbsent && held.siblings.length > 0 && (writeId === undefined || !isRepeat)) {
      return failure("precondition-failed", "the key already holds a value", acks);
    }
    const read = readContext(request.context, place);
    if (!read.ok) return failure("bad-context", read.reason, acks);
    const dot = { actor, counter: this.#counter + 1 };
    const applied = applyPut(held, {
      // The caller's bytes are the caller's: what is held must not change with them.
      value: value.slice(),
      contentType,
      writtenAt: this.#clock.next(wallMs),
      writeId,
      expiresAtMs: ttlMs === undefined || ttlMs === forever ? expiresAtMs : wallMs + ttlMs,
      context: read.context,
      mint: () => {
        this.#counter += 1;
        return dot;
      },
    });
    if (!applied.ok) {
      const code = applied.code === "record-too-large" ? "too-large" : applied.code;
      return failure(code, errorTable[code].hint, acks);
    }
    return this.#written(
      place,
      applied.record,
      contextAfterPut(applied.record, { dot, writeId }),
      acks,
    );
  }

  #delete({ bucket, key, context }: KvDelete, { acks, wallMs }: StoreInput): KvReply {
    const place = { bucket, key };
    const held = dropExpired(this.#record(place) ?? emptyRecord, wallMs);
    const read = readContext(context, place);
    if (!read.ok) return failure("bad-context", read.reason, acks);
    const record = applyDelete(held, read.context ?? contextOf(held));
    const after = contextAfterPut(record, { dot: undefined, writeId: undefined });
    return this.#written(place, record, after, acks);
  }

  #written(
    place: Key,
    record: CausalRecord,
    after: CausalContext | undefined,
    acks: KvAcks,
  ): KvReply {
    this.#buckets.get(place.bucket)?.set(latin1(place.key), { key: place, record });
    const context = after === undefined ? undefined : contextText(after, place);
    return { kind: "write", context, siblings: record.siblings.length, acks, body: [] };
  }

  #scan({ bucket, prefix, cursor, limit, tombstones }: KvScan, { wallMs }: StoreInput): KvReply {
    const from = cursor === undefined ? undefined : fromBase64url(cursor);
    const start = from === undefined ? undefined : { bucket, key: from };
    const met = [...(this.#buckets.get(bucket)?.values() ?? [])]
      .map(({ key, record }) => ({ key, record: dropExpired(record, wallMs) }))
      .filter(({ record }) => tombstones || record.siblings.length > 0)
      .filter(({ key }) => compareBytes(key.key.subarray(0, prefix.length), prefix) === 0)
      .filter(({ key }) => start === undefined || compareKeys(key, start) > 0)
      .toSorted((left, right) => compareKeys(left.key, right.key));
    const page = met.slice(0, limit === 0 ? pageSizeDefault : limit);
    const last = page.at(-1);
    return {
      kind: "scan",
      items: page.map(({ key, record }) => ({
        key: key.key,
        context: contextText(contextOf(record), key),
        siblings: record.siblings.length,
        bytes: record.siblings.reduce((sum, { value }) => sum + value.length, 0),
      })),
      cursor:
        last === undefined || page.length === met.length ? undefined : base64url(last.key.key),
    };
  }

  #record({ bucket, key }: Key): CausalRecord | undefined {
    return this.#buckets.get(bucket)?.get(latin1(key))?.record;
  }
}

/** The answer of a node that refuses, or does not know what became of the request. */
export function failure(
  code: ErrorCode,
  message: string,
  acks: KvAcks,
  isOutcomeUnknown: boolean = false,
): KvFailure {
  const { retryable, hint } = errorTable[code];
  return { kind: "failure", code, message, isOutcomeUnknown, acks, isRetryable: retryable, hint };
}

/** Hash order, as a cluster's scan has it. */
function compareKeys(left: Key, right: Key): number {
  return (
    compareTokens(tokenOf(left, space), tokenOf(right, space)) || compareBytes(left.key, right.key)
  );
}

function contextText(context: CausalContext, key: Key): string | undefined {
  return encodeContext(context, key, contextSeal);
}

type ReadContext =
  | { readonly ok: true; readonly context: CausalContext | undefined }
  | { readonly ok: false; readonly reason: string };

function readContext(text: string | undefined, key: Key): ReadContext {
  return text === undefined
    ? { ok: true, context: undefined }
    : decodeContext(text, key, contextSeal);
}

function shown({ value, contentType, dots, writtenAt, expiresAtMs = 0 }: Sibling): KvSibling {
  const [dot] = dots;
  const name = `${dot?.actor}:${dot?.counter}`;
  const writtenAtMs = writtenAt.wallMs;
  return { value: value.slice(), contentType, dot: name, writtenAtMs, expiresAtMs };
}
