import {
  type CausalContext,
  type CausalRecord,
  type Dot,
  type ErrorCode,
  type Lifetime,
  QuorumTally,
  type WriteId,
  applyDelete,
  applyPut,
  dropExpired,
  emptyRecord,
  invariant,
} from "@coterie/core";
import type { Held, StoredRecord, UpdateOutcome } from "@coterie/storage";
import type { PeerRefusal } from "../messages.ts";
import { oneShot } from "../one-shot.ts";
import type { Acks, Failure } from "../requests.ts";
import type { Coordination } from "./coordination.ts";
import { failure, noAcks } from "./failure.ts";
import { countReachable, mergeCopy, storedOf } from "./replica-calls.ts";
import type { RequestPlan } from "./request-plan.ts";

/** What a write does to the record that its coordinator holds. */
export type Change = PutChange | { readonly kind: "delete"; readonly context: CausalContext };

interface PutChange extends Lifetime {
  readonly kind: "put";
  readonly value: Uint8Array;
  readonly contentType: string;
  readonly context: CausalContext | undefined;
  readonly writeId: WriteId | undefined;
}

/** The record that a write made, before it is dressed for a client or another node. */
export type Written = ({ readonly ok: true; readonly acks: Acks } & WrittenRecord) | Failure;

export interface WrittenRecord {
  readonly record: CausalRecord;
  /** The dot under which this put wrote its value; none for a delete or a repeated put. */
  readonly dot: Dot | undefined;
  readonly writeId: WriteId | undefined;
}

/** Room for a key, a clock and a few marks, beside the value: for admission only. */
const recordOverheadBytes = 256;

/**
 * Coordinates one write at a primary (Dynamo, section 4.5): changes the copy held here, and in the
 * same turn sends the *resulting record* to all other primaries; each votes when the record is
 * durable there. Answers at max(w, pw) votes; all n are always written.
 */
export function write(
  coordination: Coordination,
  plan: RequestPlan,
  change: Change,
): Promise<Written> {
  const { primaries } = plan.replicas;
  const required = Math.max(plan.quorum.w, plan.quorum.pw);
  const reachable = countReachable(coordination, primaries);
  if (reachable < required) {
    const message = `${reachable} of the ${required} replicas required are reachable`;
    const acks = { ...noAcks, required };
    return Promise.resolve(failure(coordination, "quorum-not-met", "refused", acks, message));
  }
  return new WriteInProgress(coordination, plan, change).start();
}

/** One write: the record it made, and the votes on it. */
class WriteInProgress {
  readonly #coordination: Coordination;
  readonly #plan: RequestPlan;
  readonly #change: Change;
  readonly #required: number;
  readonly #tally: QuorumTally;
  readonly #outcome = oneShot<Written>();
  #record: CausalRecord = emptyRecord;
  #dot: Dot | undefined;
  #refusal: ErrorCode | undefined;
  #wasSent = false;
  /** The client has read its own write: there is nothing to do, here or elsewhere. */
  #isRepeat = false;
  #isOver = false;
  /** Why a replica refused, where that says more than that too few acknowledged. */
  #reason: "disk-full" | "clock-skew" | undefined;
  #cancelDeadline: () => void = () => undefined;

  constructor(coordination: Coordination, plan: RequestPlan, change: Change) {
    this.#coordination = coordination;
    this.#plan = plan;
    this.#change = change;
    this.#required = Math.max(plan.quorum.w, plan.quorum.pw);
    this.#tally = new QuorumTally(this.#required, plan.replicas.primaries.length);
  }

  start(): Promise<Written> {
    const { clock, store } = this.#coordination;
    const { placed, deadline } = this.#plan;
    this.#cancelDeadline = clock.at(deadline, () => {
      this.#fail("timeout", "unknown", "too few replicas acknowledged in time");
    });
    store.update(placed, {
      bytes: recordOverheadBytes + (this.#change.kind === "put" ? this.#change.value.length : 0),
      mayUseReserve: this.#change.kind === "delete",
      apply: (held) => this.#apply(held),
      settle: (outcome) => this.#settleLocal(outcome),
    });
    return this.#outcome.promise;
  }

  /** Changes the local record and sends the result on, all within this turn. */
  #apply(held: Held): StoredRecord | undefined {
    // Given up while it waited: then nothing is minted or sent on behalf of nobody.
    if (this.#isOver) return undefined;
    const before = held.state === "present" ? held.stored : undefined;
    const { store } = this.#coordination;
    // A rolled-back directory may have learned from a delete's context what it has forgotten: then
    // the next dot of its actor would be one that others hold.
    if (before !== undefined) store.observeOwnCounter(before.record.clock.get(store.actor));
    const after = this.#changed(before);
    if (after === undefined) return undefined;
    this.#record = after.record;
    this.#wasSent = true;
    for (const member of this.#plan.replicas.primaries) {
      if (member.id === this.#coordination.self) continue;
      const { placed, deadline } = this.#plan;
      mergeCopy(this.#coordination, member, placed, after, deadline, (outcome) => {
        if (!outcome.ok && isTelling(outcome.code)) this.#reason = outcome.code;
        this.#vote(outcome.ok);
      });
    }
    return after === before ? undefined : after;
  }

  /** The record to replicate: the one held if there is nothing to change, so that w may be met. */
  #changed(before: StoredRecord | undefined): StoredRecord | undefined {
    const { placed } = this.#plan;
    if (this.#change.kind === "delete") {
      const record = applyDelete(before?.record, this.#change.context);
      return before !== undefined && record === before.record ? before : storedOf(placed, record);
    }
    const { clock, counters, hybridClock, store } = this.#coordination;
    const { value, contentType, writeId } = this.#change;
    const nowMs = clock.wallMs();
    const held = before === undefined ? emptyRecord : dropExpired(before.record, nowMs);
    const applied = applyPut(held, {
      value,
      contentType,
      writeId,
      writtenAt: hybridClock.next(nowMs),
      expiresAtMs: this.#expiresAtMs(this.#change, nowMs),
      context: this.#change.context,
      overwrites: this.#plan.bucket.policy === "lww",
      mint: () => {
        this.#dot = store.mint();
        return this.#dot;
      },
    });
    if (!applied.ok) {
      this.#refusal = applied.code === "record-too-large" ? "too-large" : applied.code;
      return undefined;
    }
    if (applied.isRepeat) {
      this.#isRepeat = true;
      return before;
    }
    counters.expiredSiblings += (before?.record.siblings.length ?? 0) - held.siblings.length;
    return storedOf(placed, applied.record);
  }

  #expiresAtMs({ ttlMs, expiresAtMs }: PutChange, nowMs: number): number | undefined {
    if (expiresAtMs !== undefined) return expiresAtMs;
    const livesMs = ttlMs ?? this.#plan.bucket.ttlMs;
    return livesMs === undefined ? undefined : nowMs + livesMs;
  }

  /** This node's own vote, or the end of it all if nothing was sent. */
  #settleLocal(outcome: UpdateOutcome): void {
    if (this.#refusal !== undefined) {
      return this.#fail(this.#refusal, "refused", refusalMessage(this.#refusal));
    }
    if (this.#isOver) return;
    if (this.#isRepeat && !this.#wasSent && outcome.ok) return this.#succeed();
    if (this.#wasSent) return this.#vote(outcome.ok);
    invariant(!outcome.ok, "what is stored here was sent to the others in the same turn");
    const code = outcome.code === "failed" ? "internal" : outcome.code;
    this.#fail(code, "refused", `the coordinator ${this.#coordination.self} could not store it`);
  }

  #vote(success: boolean): void {
    const verdict = this.#tally.record(success);
    if (verdict === "reached") this.#succeed();
    if (verdict === "unreachable") {
      // At the deadline every open call ends as well: that is silence, not a refusal.
      const isLate = this.#coordination.clock.monotonicMs() >= this.#plan.deadline;
      const code = this.#reason ?? (isLate ? "timeout" : "quorum-not-met");
      this.#fail(code, "unknown", "too few replicas acknowledged the write");
    }
  }

  #succeed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelDeadline();
    const writeId = this.#change.kind === "put" ? this.#change.writeId : undefined;
    const dot = this.#dot;
    this.#outcome.settle({ ok: true, record: this.#record, dot, writeId, acks: this.#acks() });
  }

  #fail(code: ErrorCode, outcome: Failure["outcome"], message: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelDeadline();
    this.#outcome.settle(failure(this.#coordination, code, outcome, this.#acks(), message));
  }

  #acks(): Acks {
    return { primaries: this.#tally.succeeded, fallbacks: 0, required: this.#required };
  }
}

function refusalMessage(code: ErrorCode): string {
  if (code !== "bad-context") return "the key holds too much; read it and resolve it";
  return "the context has seen more of this node than its own directory has: read the key again";
}

function isTelling(code: PeerRefusal): code is "disk-full" | "clock-skew" {
  return code === "disk-full" || code === "clock-skew";
}
