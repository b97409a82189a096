import {
  type CausalContext,
  type CausalRecord,
  type Dot,
  type ErrorCode,
  type HybridClock,
  type Lifetime,
  type WriteId,
  applyDelete,
  applyPut,
  dropExpired,
  emptyRecord,
  forever,
} from "@coterie/core";
import type { StoredRecord } from "@coterie/storage";
import type { Coordination } from "./coordination.ts";
import { storedOf } from "./replica-calls.ts";
import type { RequestPlan } from "./request-plan.ts";

/** What a write does to the record that its coordinator holds. */
export type Change = PutChange | { readonly kind: "delete"; readonly context: CausalContext };

interface PutChange extends Lifetime {
  readonly kind: "put";
  readonly value: Uint8Array;
  readonly contentType: string;
  readonly context: CausalContext | undefined;
  readonly writeId: WriteId | undefined;
  /** Under which an earlier attempt at this put wrote its value into the record held here. */
  readonly earlier?: Dot | undefined;
}

/** What became of a record: of a change that was refused, nothing. */
export type ChangedRecord =
  | {
      readonly ok: true;
      /** The one held if there is nothing to change, so that w may be met. */
      readonly stored: StoredRecord | undefined;
      /** Under which a put wrote its value; none for a delete or a repeated put. */
      readonly dot: Dot | undefined;
      /** The client has read its own write: there is nothing to do, here or elsewhere. */
      readonly isRepeat: boolean;
    }
  | { readonly ok: false; readonly code: ErrorCode };

/** Room for a key, a clock and a few marks, beside the value: for admission only. */
const recordOverheadBytes = 256;

/** Bytes that a change may add to a record, for admission. */
export function bytesOf(change: Change): number {
  return recordOverheadBytes + (change.kind === "put" ? change.value.length : 0);
}

type ChangingNode = Pick<Coordination, "clock" | "counters" | "hybridClock" | "replica">;

/** Carries out a change on the record held, under a dot of `mint` if it is a put. */
export function changeRecord(
  { clock, counters, hybridClock, replica }: ChangingNode,
  { bucket, placed }: RequestPlan,
  change: Change,
  before: StoredRecord | undefined,
  mint: () => Dot,
): ChangedRecord {
  const { forgotten } = replica;
  if (change.kind === "delete") {
    const record = applyDelete(before?.record, change.context);
    if (before !== undefined) forgotten.note(placed.token, before.record, record);
    const isSame = before !== undefined && record === before.record;
    const stored = isSame ? before : storedOf(placed, record);
    return { ok: true, stored, dot: undefined, isRepeat: false };
  }
  const { value, contentType, writeId, context, earlier } = change;
  if (earlier !== undefined) return repeated(before, earlier);
  // Only by a record that w replicas will hold is it acknowledged: what succeeded it may be lost.
  if (before !== undefined && writeId !== undefined && forgotten.has(placed.token, writeId)) {
    return { ok: true, stored: before, dot: undefined, isRepeat: true };
  }
  const nowMs = clock.wallMs();
  const held = before === undefined ? emptyRecord : dropExpired(before.record, nowMs);
  noteTimes(hybridClock, held, nowMs);
  let dot: Dot | undefined;
  const applied = applyPut(held, {
    value,
    contentType,
    writeId,
    writtenAt: hybridClock.next(nowMs),
    expiresAtMs: expiresAt(change, bucket.ttlMs, nowMs),
    context,
    overwrites: bucket.policy === "lww",
    mint: () => {
      dot = mint();
      return dot;
    },
  });
  if (!applied.ok) {
    return { ok: false, code: applied.code === "record-too-large" ? "too-large" : applied.code };
  }
  if (applied.isRepeat) return { ok: true, stored: before, dot, isRepeat: true };
  if (before !== undefined) forgotten.note(placed.token, before.record, applied.record);
  counters.expiredSiblings += (before?.record.siblings.length ?? 0) - held.siblings.length;
  return { ok: true, stored: storedOf(placed, applied.record), dot, isRepeat: false };
}

/**
 * What is written now is later, by a millisecond or more, than all that the record tells of, also
 * where the wall clock was set back: ids of overwritten writes are remembered by their milliseconds
 * and forgotten oldest first, and the one of this write is not the oldest.
 */
function noteTimes(clock: HybridClock, record: CausalRecord, nowMs: number): void {
  let latestMs = 0;
  for (const { writtenAt } of record.siblings) latestMs = Math.max(latestMs, writtenAt.wallMs);
  latestMs = Math.max(latestMs, record.deadWrites.newestMs());
  if (latestMs >= nowMs) clock.observe({ wallMs: latestMs + 1, logical: 0 }, nowMs);
}

/** The record that an earlier attempt wrote is sent again, with what came to it meanwhile. */
function repeated(before: StoredRecord | undefined, earlier: Dot): ChangedRecord {
  const isHeld = before !== undefined && before.record.clock.get(earlier.actor) >= earlier.counter;
  if (!isHeld) return { ok: false, code: "quorum-not-met" };
  return { ok: true, stored: before, dot: earlier, isRepeat: true };
}

function expiresAt(
  { ttlMs, expiresAtMs }: PutChange,
  bucketTtlMs: number | undefined,
  nowMs: number,
): number | undefined {
  if (expiresAtMs !== undefined) return expiresAtMs;
  const livesMs = ttlMs ?? bucketTtlMs;
  return livesMs === undefined || livesMs === forever ? undefined : nowMs + livesMs;
}
