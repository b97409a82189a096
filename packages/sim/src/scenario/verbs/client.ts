import type { Acks, Failure, GetOutcome, ReplicaAnswer, WriteOutcome } from "@coterie/cluster";
import { type Key, type Sibling, type WriteId, forever, hex, latin1, utf8 } from "@coterie/core";
import type { ClientOutcome, ClientWrite } from "../../history.ts";
import { type Arguments, ScenarioError, durationOf, modeOf } from "../arguments.ts";
import type { Lines, NamedContext, Stage } from "../stage.ts";

/** `put n1 KEY VALUE [context=C] [as=C] [id=NAME] [ttl=T] [w=N] [mode=M] [timeout=T] [bucket=B]` */
export async function put(stage: Stage, args: Arguments): Promise<Lines> {
  const id = stage.node(args.word("a node"));
  const name = args.word("a key");
  const value = args.word("a value");
  const held = heldContext(stage, args);
  const as = args.option("as");
  const writeId = args.option("id");
  const ttl = args.option("ttl");
  const { key, options } = requestOf(stage, args, name);
  const write = beginPut(stage, name, value, held?.saw ?? []);
  const outcome = await stage.cluster.ask(id, (node) =>
    node.put(
      key,
      {
        value: utf8(value),
        contentType: "",
        context: held?.text,
        writeId: writeId === undefined ? undefined : writeIdOf(writeId),
        returnBody: false,
        ifAbsent: false,
        ttlMs: ttl === undefined ? undefined : ttl === "never" ? forever : durationOf(ttl),
      },
      options,
    ),
  );
  endWrite(stage, write, outcome);
  if (outcome?.ok === true && as !== undefined) {
    stage.contexts.set(as, { text: outcome.context, saw: [write.number, ...write.saw] });
  }
  return [outcome === undefined ? noAnswer : describeWrite(outcome)];
}

/** `delete n1 KEY [context=C] [w=N] [mode=M] [timeout=T] [bucket=B]`. */
export async function deleteKey(stage: Stage, args: Arguments): Promise<Lines> {
  const id = stage.node(args.word("a node"));
  const name = args.word("a key");
  const held = heldContext(stage, args);
  const { key, options } = requestOf(stage, args, name);
  const write = beginWrite(stage, name, "delete", held?.saw);
  const outcome = await stage.cluster.ask(id, (node) => node.delete(key, held?.text, options));
  endWrite(stage, write, outcome);
  return [outcome === undefined ? noAnswer : describeWrite(outcome)];
}

/** `get n1 KEY [as=C] [stale=500ms] [r=N] [mode=M] [timeout=T] [bucket=B]`. */
export async function get(stage: Stage, args: Arguments): Promise<Lines> {
  const id = stage.node(args.word("a node"));
  const name = args.word("a key");
  const as = args.option("as");
  const stale = args.option("stale");
  const staleMs = stale === undefined ? 0 : durationOf(stale);
  const { key, options } = requestOf(stage, args, name);
  const invokedMs = stage.world.nowMs;
  const asked = { ...options, maxStaleMs: staleMs };
  const outcome = await stage.cluster.ask(id, (node) => node.get(key, asked));
  if (outcome === undefined) return [noAnswer];
  if (!outcome.ok) return [describeFailure(outcome)];
  const values = numbersOf(stage, outcome.siblings);
  // Fewer replicas than the bucket asks for may miss what was acknowledged, and promise nothing.
  if (options.r === undefined) {
    const settledMs = stage.world.nowMs;
    const read = { key: name, values, invokedMs, settledMs, staleMs, context: undefined };
    const isStrict = outcome.acks.fallbacks === 0;
    stage.history.addRead({
      ...read,
      isStrict,
      isRepeatable: isStrict && options.strict !== false,
    });
  }
  if (as !== undefined) stage.contexts.set(as, { text: outcome.context, saw: values });
  return [describeRead(outcome)];
}

/** `scan n1 [limit=N] [bucket=B]`: the keys of a bucket, page by page. */
export async function scan(stage: Stage, args: Arguments): Promise<Lines> {
  const id = stage.node(args.word("a node"));
  const limit = args.number("limit") ?? 100;
  const bucket = args.option("bucket") ?? "default";
  args.end();
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const options = { limit, cursor, prefix: undefined, tombstones: false };
    const page = await stage.cluster.ask(id, (node) => node.scan(bucket, options));
    if (page === undefined) return [noAnswer];
    if (!page.ok) return [describeFailure(page)];
    keys.push(...page.items.map(({ key }) => latin1(key)));
    ({ cursor } = page);
  } while (cursor !== undefined);
  return [keys.length === 0 ? "no keys" : keys.toSorted().join(" ")];
}

/** `own n1 KEY [bucket=B]`: the node's own copy. */
export async function own(stage: Stage, args: Arguments): Promise<Lines> {
  const id = stage.node(args.word("a node"));
  const { key } = requestOf(stage, args, args.word("a key"));
  return [describeCopy(await stage.cluster.ask(id, (node) => node.readReplica(key)))];
}

/** `copies KEY [bucket=B]`: every node's own copy. */
export async function copies(stage: Stage, args: Arguments): Promise<Lines> {
  const { key } = requestOf(stage, args, args.word("a key"));
  const lines: string[] = [];
  for (const id of stage.cluster.ids) {
    const copy = await stage.cluster.ask(id, (node) => node.readReplica(key));
    lines.push(`${id}: ${describeCopy(copy)}`);
  }
  return lines;
}

/** The writes that put these values; -1 for a value nobody put. */
export function numbersOf(stage: Stage, siblings: readonly Sibling[]): readonly number[] {
  return siblings.map(({ value }) => stage.writeOf.get(latin1(value)) ?? -1);
}

const noAnswer = "no answer: the node is down";

interface Request {
  readonly key: Key;
  readonly options: {
    readonly r?: number;
    readonly w?: number;
    readonly strict?: boolean;
    readonly timeoutMs?: number;
  };
}

function requestOf(stage: Stage, args: Arguments, name: string): Request {
  const bucket = args.option("bucket") ?? "default";
  const r = args.number("r");
  const w = args.number("w");
  const mode = args.option("mode");
  const timeout = args.option("timeout");
  args.end();
  stage.keys.add(`${bucket}/${name}`);
  return {
    key: { bucket, key: utf8(name) },
    options: {
      ...(r === undefined ? {} : { r }),
      ...(w === undefined ? {} : { w }),
      ...(mode === undefined ? {} : { strict: modeOf(mode) === "strict" }),
      ...(timeout === undefined ? {} : { timeoutMs: durationOf(timeout) }),
    },
  };
}

function heldContext(
  stage: Stage,
  args: Arguments,
): (NamedContext & { readonly text: string }) | undefined {
  const name = args.option("context");
  return name === undefined ? undefined : stage.context(name);
}

/** 16 bytes that begin with the name. */
function writeIdOf(name: string): WriteId {
  return hex(utf8(name.padEnd(16, ".").slice(0, 16))) as WriteId;
}

/** A value that was put before is the same write, retried. */
function beginPut(stage: Stage, key: string, value: string, saw: readonly number[]): ClientWrite {
  const known = stage.history.write(stage.writeOf.get(value) ?? -1);
  if (known !== undefined) {
    if (known.key !== key) throw new ScenarioError(`${value} was put to another key: use another`);
    return known;
  }
  const write = beginWrite(stage, key, "put", saw);
  stage.writeOf.set(value, write.number);
  return write;
}

function beginWrite(
  { history, world }: Stage,
  key: string,
  kind: ClientWrite["kind"],
  saw: readonly number[] | undefined,
): ClientWrite {
  const write: ClientWrite = {
    number: history.writes.length,
    key,
    kind,
    saw: saw ?? [],
    isBlindDelete: kind === "delete" && saw === undefined,
    isForeign: false,
    invokedMs: world.nowMs,
    settledMs: Number.POSITIVE_INFINITY,
    outcome: "unknown",
    context: undefined,
  };
  history.addWrite(write);
  return write;
}

function endWrite({ world }: Stage, write: ClientWrite, outcome: WriteOutcome | undefined): void {
  if (outcome === undefined || write.outcome === "ok") return;
  const verdict: ClientOutcome = outcome.ok ? "ok" : outcome.outcome;
  // A refusal says nothing of the attempts before it.
  const isFirst = write.settledMs === Number.POSITIVE_INFINITY;
  write.outcome = verdict === "refused" && !isFirst ? write.outcome : verdict;
  // What fallbacks took part in, reads of primaries need not meet.
  if (outcome.ok && outcome.acks.fallbacks > 0) write.holders = 0;
  write.settledMs = world.nowMs;
}

function describeWrite(outcome: WriteOutcome): string {
  if (!outcome.ok) return describeFailure(outcome);
  const { siblings } = outcome;
  const held = siblings === 1 ? "1 value" : `${siblings} values`;
  const context = outcome.context === undefined ? "no context" : "a context";
  return `ok, ${held}, ${context}${describeFallbacks("by", outcome.acks)}`;
}

function describeFailure({ code, outcome, acks }: Failure): string {
  const by = describeFallbacks("by", acks);
  return `${code} (${outcome}), ${acks.primaries} of ${acks.required} replicas${by}`;
}

/** Who took part, if fallbacks did. */
function describeFallbacks(preposition: string, { primaries, fallbacks }: Acks): string {
  if (fallbacks === 0) return "";
  const [own, others] = [count(primaries, "primary", "primaries"), count(fallbacks, "fallback")];
  return `, ${preposition} ${own} and ${others}`;
}

function count(number: number, one: string, more = `${one}s`): string {
  return `${number} ${number === 1 ? one : more}`;
}

function describeRead(outcome: GetOutcome & { readonly ok: true }): string {
  const from = describeFallbacks("from", outcome.acks);
  if (outcome.context === undefined) return `nothing${from}`;
  return `${outcome.siblings.length === 0 ? "deleted" : valuesOf(outcome.siblings)}${from}`;
}

function describeCopy(copy: ReplicaAnswer | undefined): string {
  if (copy === undefined) return "down";
  if (copy.state !== "present") return copy.state;
  return copy.siblings.length === 0 ? "deleted" : valuesOf(copy.siblings);
}

/** Values in an order of their own: that of siblings follows from random actors. */
function valuesOf(siblings: readonly Sibling[]): string {
  return siblings
    .map(({ value }) => latin1(value))
    .toSorted()
    .join(" | ");
}
