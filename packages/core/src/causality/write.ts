import type { WriteId } from "../ids.ts";
import { invariant } from "../invariant.ts";
import { limits } from "../limits.ts";
import type { CausalContext } from "./context.ts";
import { type DeadWrite, DeadWrites, joinDeadWrites } from "./dead-writes.ts";
import type { HybridTime } from "./hybrid-clock.ts";
import {
  type CausalRecord,
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
  /** Wall time from which on no read returns it; left out: it stays. */
  readonly expiresAtMs?: number | undefined;
  /** Drops whatever else is held too, read by the client or not: in an `lww` bucket. */
  readonly overwrites?: boolean;
  /** Mints a dot that no record has seen. Called at most once, and not for a repeated put. */
  readonly mint: () => Dot;
}

/**
 * `bad-context`: the context has seen a dot that was minted only now. Its issuer remembers more of
 * this actor than the actor's own storage does, as after a rollback of the disk.
 */
export type PutRefusal =
  | "too-many-siblings"
  | "too-many-actors"
  | "record-too-large"
  | "bad-context";

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
  const rest = leftBy(record, put);
  const refusal = overLimit(record, rest, put);
  if (refusal !== undefined) return { ok: false, code: refusal };
  const dot = put.mint();
  invariant(!record.clock.covers(dot), "a minted dot is new to its key");
  if (rest.clock.covers(dot)) return { ok: false, code: "bad-context" };
  const { value, contentType, writtenAt, writeId, expiresAtMs } = put;
  const sibling: Sibling = { dots: [dot], value, contentType, writtenAt, writeId, expiresAtMs };
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
  const isSame =
    rest.clock === record.clock &&
    rest.deadWrites === record.deadWrites &&
    rest.siblings.length === record.siblings.length;
  return isSame ? record : rest;
}

/**
 * The context a put may return: the record's own, and only when the value that this put wrote
 * stands alone. While other siblings remain, the clock would cover values that this client never
 * read, and its next put would lose them. The same goes for one sibling of somebody else: a retry
 * may come when its write was overwritten long ago. A tombstone's clock covers nothing alive.
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

/** The context of someone who has read the whole record, and so a successor of all it remembers. */
export function contextOf(record: CausalRecord): CausalContext {
  const read: DeadWrite[] = [];
  for (const { writeId, writtenAt } of record.siblings) {
    if (writeId !== undefined) read.push({ writeId, writtenAtMs: writtenAt.wallMs });
  }
  const writes = joinDeadWrites(record.deadWrites.allRead(), DeadWrites.of(read));
  return { vector: record.clock, writes };
}

function isKnownWrite(
  record: CausalRecord,
  context: CausalContext | undefined,
  writeId: WriteId,
): boolean {
  return (
    record.siblings.some((sibling) => sibling.writeId === writeId) ||
    record.deadWrites.isRemembered(writeId) ||
    context?.writes.isRemembered(writeId) === true
  );
}

/**
 * What a put leaves of the record. What it overwrites without its client having read it goes by its
 * dots, and its write id is remembered as unread, not as dead: two such puts, each retried at the
 * coordinator where the other one came first, would else merge to nothing.
 */
function leftBy(record: CausalRecord, put: Put): CausalRecord {
  const rest = withoutCovered(record, put.context);
  if (put.overwrites !== true || rest.siblings.length === 0) return rest;
  const unread: DeadWrite[] = [];
  for (const { writeId, writtenAt } of rest.siblings) {
    if (writeId === undefined) continue;
    unread.push({ writeId, writtenAtMs: writtenAt.wallMs, isUnread: true });
  }
  return {
    ...rest,
    siblings: [],
    deadWrites: joinDeadWrites(rest.deadWrites, DeadWrites.of(unread)),
  };
}

/**
 * What the context has seen of one write, it has seen of all: a context that covers one dot of a
 * retried write, or knows its id, was given to someone who has read that write or a successor.
 */
function withoutCovered(record: CausalRecord, context: CausalContext | undefined): CausalRecord {
  if (context === undefined) return record;
  const { vector, writes } = context;
  const siblings: Sibling[] = [];
  const died: DeadWrite[] = [];
  for (const sibling of record.siblings) {
    const { writeId, dots, writtenAt } = sibling;
    const isIdRead = writes.isDead(writeId);
    if (!isIdRead && !dots.some((dot) => vector.covers(dot))) siblings.push(sibling);
    else if (writeId !== undefined && !isIdRead) {
      died.push({ writeId, writtenAtMs: writtenAt.wallMs });
    }
  }
  return {
    clock: record.clock.merge(vector),
    siblings,
    deadWrites: joinDeadWrites(record.deadWrites, writes, DeadWrites.of(died)),
  };
}

/**
 * Limits stop a record from growing, and never what shrinks it: a put that resolves siblings is
 * taken however many there are. One whose context covers nothing that is alive grows the record
 * just as a put without context does.
 */
function overLimit(record: CausalRecord, rest: CausalRecord, put: Put): PutRefusal | undefined {
  const resolves = rest.siblings.length < record.siblings.length;
  if (!resolves && rest.siblings.length >= limits.siblingsPerKeyMax) return "too-many-siblings";
  const isBlind = put.context === undefined || (!resolves && record.siblings.length > 0);
  if (isBlind && put.overwrites !== true && rest.clock.size >= limits.actorsPerKeyMax)
    return "too-many-actors";
  const bytes = valueBytes(rest) + put.value.length;
  const grows = bytes > valueBytes(record);
  return grows && bytes > limits.recordBytesMax ? "record-too-large" : undefined;
}

function valueBytes({ siblings }: CausalRecord): number {
  let bytes = 0;
  for (const { value } of siblings) bytes += value.length;
  return bytes;
}
