import {
  type CausalRecord,
  type Dot,
  type ErrorCode,
  type Member,
  QuorumTally,
  type VoterSet,
  type WriteId,
  emptyRecord,
  invariant,
} from "@coterie/core";
import type { Held, StoredRecord, UpdateOutcome } from "@coterie/storage";
import type { PeerRefusal } from "../messages.ts";
import { oneShot } from "../one-shot.ts";
import type { Acks, Failure } from "../requests.ts";
import { type Change, bytesOf, changeRecord } from "./change.ts";
import type { Coordination } from "./coordination.ts";
import { failure, noAcks } from "./failure.ts";
import { countReachable, writeCopy } from "./replica-calls.ts";
import { type RequestPlan, isCurrent, newcomersOf, voterSetOf } from "./request-plan.ts";

/** The record that a write made, before it is dressed for a client or another node. */
export type Written = ({ readonly ok: true; readonly acks: Acks } & WrittenRecord) | FailedWrite;

/** Of a put, with the dot under which it wrote its value all the same, here at least. */
export type FailedWrite = Failure & { readonly dot?: Dot | undefined };

export interface WrittenRecord {
  readonly record: CausalRecord;
  /** The dot under which this put wrote its value; none for a delete or a repeated put. */
  readonly dot: Dot | undefined;
  readonly writeId: WriteId | undefined;
}

/**
 * Coordinates one write at a primary (Dynamo, section 4.5): changes the copy held here, and in the
 * same turn sends the *resulting record* to all other primaries, or has one that is made of it sent
 * in its place where the key is contended; each votes when it is durable there. Answers at
 * max(w, pw) votes; all n are always written. While the key's partition moves, those who will be
 * the primaries are written as well, and as many votes among them needed.
 */
export function write(
  coordination: Coordination,
  plan: RequestPlan,
  change: Change,
): Promise<Written> {
  const { primaries, next } = plan.replicas;
  const required = Math.max(plan.quorum.w, plan.quorum.pw);
  const reachable = countReachable(coordination, primaries);
  if (reachable < required) {
    const message = `${reachable} of the ${required} replicas required are reachable`;
    const acks = { ...noAcks, required };
    return Promise.resolve(failure(coordination, "quorum-not-met", "refused", acks, message));
  }
  const reachableNext = next === undefined ? required : countReachable(coordination, next);
  if (reachableNext < required) {
    const message = `${reachableNext} of the ${required} next owners required are reachable`;
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
    const { primaries, next } = plan.replicas;
    this.#tally = new QuorumTally(this.#required, primaries.length, next?.length);
  }

  start(): Promise<Written> {
    const { clock, store } = this.#coordination;
    const { placed, deadline } = this.#plan;
    this.#cancelDeadline = clock.at(deadline, () => {
      this.#fail("timeout", "unknown", "too few replicas acknowledged in time");
    });
    store.update(placed, {
      bytes: bytesOf(this.#change),
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
    if (!isCurrent(this.#coordination, this.#plan)) {
      this.#refusal = "quorum-not-met";
      return undefined;
    }
    const before = held.state === "present" ? held.stored : undefined;
    const { store } = this.#coordination;
    // A rolled-back directory may have learned from a delete's context what it has forgotten: then
    // the next dot of its actor would be one that others hold.
    if (before !== undefined) store.observeOwnCounter(before.record.clock.get(store.actor));
    const changed = changeRecord(this.#coordination, this.#plan, this.#change, before, () =>
      store.mint(),
    );
    if (!changed.ok) this.#refusal = changed.code;
    else ({ dot: this.#dot, isRepeat: this.#isRepeat } = changed);
    const after = changed.ok ? changed.stored : undefined;
    if (after === undefined) return undefined;
    this.#record = after.record;
    this.#wasSent = true;
    const { primaries, next } = this.#plan.replicas;
    for (const member of primaries) {
      if (member.id !== this.#coordination.self) this.#send(member, after);
    }
    if (next !== undefined) {
      for (const member of newcomersOf(this.#plan)) this.#send(member, after);
    }
    return after === before ? undefined : after;
  }

  #send(member: Member, stored: StoredRecord): void {
    writeCopy(this.#coordination, member, this.#plan, stored, (outcome) => {
      if (!outcome.ok && isTelling(outcome.code)) this.#reason = outcome.code;
      this.#vote(outcome.ok, voterSetOf(this.#plan, member));
    });
  }

  /** This node's own vote, or the end of it all if nothing was sent. */
  #settleLocal(outcome: UpdateOutcome): void {
    if (this.#refusal !== undefined) {
      return this.#fail(this.#refusal, "refused", refusalMessage(this.#refusal));
    }
    if (this.#isOver) return;
    if (this.#isRepeat && !this.#wasSent && outcome.ok) return this.#succeed();
    if (this.#wasSent) {
      // As at any replica: no vote under owners that are not those of now.
      return this.#vote(outcome.ok && isCurrent(this.#coordination, this.#plan), this.#ownSet());
    }
    invariant(!outcome.ok, "what is stored here was sent to the others in the same turn");
    const code = outcome.code === "failed" ? "internal" : outcome.code;
    this.#fail(code, "refused", `the coordinator ${this.#coordination.self} could not store it`);
  }

  #ownSet(): VoterSet {
    const { primaries } = this.#plan.replicas;
    const own = primaries.find(({ id }) => id === this.#coordination.self);
    invariant(own !== undefined, "a strict write is coordinated by a primary");
    return voterSetOf(this.#plan, own);
  }

  #vote(success: boolean, voter: VoterSet): void {
    const verdict = this.#tally.record(success, voter);
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
    const failed = failure(this.#coordination, code, outcome, this.#acks(), message);
    this.#outcome.settle({ ...failed, dot: this.#dot });
  }

  #acks(): Acks {
    return { primaries: this.#tally.succeeded, fallbacks: 0, required: this.#required };
  }
}

/** Why a change was refused, for whoever asked for it. */
export function refusalMessage(code: ErrorCode): string {
  if (code === "quorum-not-met") return "the owners of the key changed before it was written";
  if (code !== "bad-context") return "the key holds too much; read it and resolve it";
  return "the context has seen more of this node than its own directory has: read the key again";
}

/** True for a refusal that says more than that too few acknowledged. */
export function isTelling(code: PeerRefusal): code is "disk-full" | "clock-skew" {
  return code === "disk-full" || code === "clock-skew";
}
