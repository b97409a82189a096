import type { WriteId } from "../ids.ts";
import { limits } from "../limits.ts";
import type { CausalContext } from "./context.ts";
import { joinDeadWrites } from "./dead-writes.ts";
import type { HybridTime } from "./hybrid-clock.ts";
import { isDead } from "./merge.ts";
import {
  type CausalRecord,
  type DeadWrite,
  type Sibling,
  compareDots,
  compareSiblings,
  emptyRecord,
} from "./record.ts";
import type { Dot } from "./version-vector.ts";

/** A client's put, as the coordinating primary applies it to its own copy. */
export interface Put {
  readonly value: Uint8Array;
  readonly contentType: string;
  readonly writtenAt: HybridTime;
  readonly writeId: WriteId | undefined;
  /** What the client has read; `undefined`: the put is concurrent with all there is. */
  readonly context: CausalContext | undefined;
  /** Mints a dot that no record has seen. Called at most once, and only if the put is applied. */
  readonly mint: () => Dot;
}

export type PutRefusal = "too-many-siblings" | "too-many-actors" | "record-too-large";

export type AppliedPut =
  | { readonly ok: true; readonly record: CausalRecord; readonly isRepeat: boolean }
  | { readonly ok: false; readonly code: PutRefusal };

/**
 * Drops what the client's context covers, and adds the new sibling under a fresh dot. A put is
 * never stale: with an old context it becomes a sibling of whatever that context does not cover,
 * without one a sibling of all there is. A put whose write id is already there, alive or dead, is a
 * retry and changes nothing.
 */
export function applyPut(record: CausalRecord = emptyRecord, put: Put): AppliedPut {
  if (put.writeId !== undefined && isKnownWrite(record, put.context, put.writeId)) {
    return { ok: true, record, isRepeat: true };
  }
  const rest = withoutCovered(record, put.context);
  if (put.context === undefined) {
    const refusal = overLimit(record, put.value.length);
    if (refusal !== undefined) return { ok: false, code: refusal };
  }
  const dot = put.mint();
  const { value, contentType, writtenAt, writeId } = put;
  const sibling: Sibling = { dots: [dot], value, contentType, writtenAt, writeId };
  return {
    ok: true,
    isRepeat: false,
    record: {
      clock: rest.clock.with(dot),
      siblings: [...rest.siblings, sibling].sort(compareSiblings),
      deadWrites: rest.deadWrites,
    },
  };
}

/**
 * Drops what the client's context covers, and nothing else: a write that the client has not read
 * survives. Returns `record` itself when there is nothing to do; the result without siblings is a
 * tombstone.
 */
export function applyDelete(
  record: CausalRecord = emptyRecord,
  context: CausalContext,
): CausalRecord {
  const rest = withoutCovered(record, context);
  const isSame = rest.clock === record.clock && rest.siblings.length === record.siblings.length;
  return isSame ? record : rest;
}

/**
 * The context a put may return: the record's own, and only when the value that this put wrote
 * stands alone. While other siblings remain, the clock would cover values that this client never
 * read, and its next put would lose them. The same goes for one sibling of somebody else: a retry
 * may come when its write was overwritten long ago.
 */
export function contextAfterPut(
  record: CausalRecord,
  written: { readonly dot: Dot | undefined; readonly writeId: WriteId | undefined },
): CausalContext | undefined {
  if (record.siblings.length > 1) return undefined;
  const [only] = record.siblings;
  if (only === undefined) return contextOf(record);
  const { dot, writeId } = written;
  const isOwn =
    (writeId !== undefined && only.writeId === writeId) ||
    (dot !== undefined && only.dots.some((held) => compareDots(held, dot) === 0));
  return isOwn ? contextOf(record) : undefined;
}

/** The context of someone who has read the whole record. */
export function contextOf(record: CausalRecord): CausalContext {
  const alive: DeadWrite[] = [];
  for (const { writeId, writtenAt } of record.siblings) {
    if (writeId !== undefined) alive.push({ writeId, writtenAtMs: writtenAt.wallMs });
  }
  return { vector: record.clock, writes: joinDeadWrites(record.deadWrites, alive) };
}

function isKnownWrite(
  record: CausalRecord,
  context: CausalContext | undefined,
  writeId: WriteId,
): boolean {
  return (
    record.siblings.some((sibling) => sibling.writeId === writeId) ||
    isDead(record.deadWrites, writeId) ||
    (context !== undefined && isDead(context.writes, writeId))
  );
}

function withoutCovered(record: CausalRecord, context: CausalContext | undefined): CausalRecord {
  if (context === undefined) return record;
  const died: DeadWrite[] = [...context.writes];
  const siblings: Sibling[] = [];
  for (const sibling of record.siblings) {
    const dots = sibling.dots.filter((dot) => !context.vector.covers(dot));
    const wasRead = dots.length === 0 || isDead(context.writes, sibling.writeId);
    if (!wasRead)
      siblings.push(dots.length === sibling.dots.length ? sibling : { ...sibling, dots });
    else if (sibling.writeId !== undefined && !isDead(died, sibling.writeId)) {
      died.push({ writeId: sibling.writeId, writtenAtMs: sibling.writtenAt.wallMs });
    }
  }
  return {
    clock: record.clock.merge(context.vector),
    siblings,
    deadWrites: joinDeadWrites(record.deadWrites, died),
  };
}

function overLimit(record: CausalRecord, valueBytes: number): PutRefusal | undefined {
  if (record.siblings.length >= limits.siblingsPerKeyMax) return "too-many-siblings";
  if (record.clock.size >= limits.actorsPerKeyMax) return "too-many-actors";
  let bytes = valueBytes;
  for (const sibling of record.siblings) bytes += sibling.value.length;
  return bytes > limits.recordBytesMax ? "record-too-large" : undefined;
}
