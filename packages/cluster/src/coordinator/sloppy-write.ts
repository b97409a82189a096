import {
  type CausalRecord,
  type Dot,
  type ErrorCode,
  type Member,
  SloppyTally,
  type Voter,
  emptyRecord,
  invariant,
} from "@coterie/core";
import type { Held, StoredRecord } from "@coterie/storage";
import type { Minter } from "../hints/guest-update.ts";
import type { PeerRefusal } from "../messages.ts";
import { oneShot } from "../one-shot.ts";
import type { MergeOutcome } from "../replica/replica.ts";
import type { Acks, Failure } from "../requests.ts";
import { type Change, bytesOf, changeRecord } from "./change.ts";
import type { Coordination } from "./coordination.ts";
import { failure, noAcks } from "./failure.ts";
import { countReachable, writeCopy } from "./replica-calls.ts";
import {
  type RequestPlan,
  isCurrent,
  isPrimary,
  newcomersOf,
  underFenceOfNow,
} from "./request-plan.ts";
import { StandInSearch } from "./stand-in-search.ts";
import { candidatesOf, holdCopy, isAtHand, silentAt, standInsOf } from "./stand-ins.ts";
import { type Written, isTelling, refusalMessage } from "./write.ts";
import { pause } from "../pause.ts";

/** Refusals after which a fallback takes a primary's place: it cannot store the record now. */
const isAbsence: ReadonlySet<PeerRefusal> = new Set([
  "expired",
  "timeout",
  "not-ready",
  "shutting-down",
  "disk-full",
  "overloaded",
]);

/** How long members that seem out of reach are waited for before a write is refused, at most. */
const patienceMs = 500;
/** How often they are looked at meanwhile, in milliseconds. */
const againMs = 50;

/**
 * Coordinates one write in which fallbacks may hold what primaries out of reach should (Dynamo,
 * section 4.6). At a primary as `write` does; at any other node in place of the first primary that
 * is out of reach, under the *guest actor* of what it holds for that one. Answers at w votes, of
 * which pw are of primaries; all n are always written, or held for.
 */
export function writeSloppily(
  coordination: Coordination,
  plan: RequestPlan,
  change: Change,
): Promise<Written> {
  const problem = problemWithSloppyWrite(coordination, plan);
  if (problem === undefined) return new SloppyWrite(coordination, plan, change).start();
  return writeOncePossible(coordination, plan, change);
}

/** On a busy machine a member seems to be out of reach for a moment: too few are so for longer. */
async function writeOncePossible(
  coordination: Coordination,
  plan: RequestPlan,
  change: Change,
): Promise<Written> {
  const { clock, self } = coordination;
  const now = clock.monotonicMs();
  const endMs = now + Math.min(patienceMs, (plan.deadline - now) / 4);
  // Where everybody is a primary nobody could stand in.
  const mayCome = candidatesOf(coordination, plan).some(({ id }) => id !== self);
  for (let problem = problemWithSloppyWrite(coordination, plan); problem !== undefined;) {
    if (!mayCome || clock.monotonicMs() >= endMs) {
      const acks = { ...noAcks, required: requiredOf(plan) };
      return failure(coordination, "quorum-not-met", "refused", acks, problem);
    }
    await pause(clock, againMs);
    problem = problemWithSloppyWrite(coordination, plan);
  }
  return new SloppyWrite(coordination, plan, change).start();
}

/** Why too few are at hand for a sloppy write that this node coordinates. */
export function problemWithSloppyWrite(
  coordination: Coordination,
  plan: RequestPlan,
): string | undefined {
  const { w, pw } = plan.quorum;
  const { self } = coordination;
  // Perhaps it is no member any more and has not heard of that: nobody would get what it holds.
  const isGoing = coordination.ring().member(self)?.departure !== undefined;
  if (isGoing && !isPrimary(coordination, plan))
    return `${self} is leaving: it stands in for nobody`;
  const reachable = countReachable(coordination, plan.replicas.primaries);
  if (reachable < pw) return `${reachable} of the ${pw} primaries required are reachable`;
  if (reachable >= w) return undefined;
  const fallbacks = standInsOf(coordination, plan).length;
  if (reachable + fallbacks >= w) return undefined;
  return `${reachable} primaries and ${fallbacks} fallbacks are reachable, of ${w} required`;
}

function requiredOf({ quorum }: RequestPlan): number {
  return Math.max(quorum.w, quorum.pw);
}

/** One sloppy write: the record it made, the votes on it, and who stands in for whom. */
class SloppyWrite {
  readonly #coordination: Coordination;
  readonly #plan: RequestPlan;
  readonly #change: Change;
  readonly #tally: SloppyTally;
  /** Whose place this node takes: an index of the primaries; `undefined` if it is one itself. */
  readonly #guestPlace: number | undefined;
  readonly #outcome = oneShot<Written>();
  #standIns: StandInSearch | undefined;
  #stored: StoredRecord | undefined;
  #dot: Dot | undefined;
  #wasSent = false;
  #refusal: ErrorCode | undefined;
  #isRepeat = false;
  #isOver = false;
  #reason: "disk-full" | "clock-skew" | undefined;
  #cancelTimer: () => void = () => undefined;

  constructor(coordination: Coordination, plan: RequestPlan, change: Change) {
    this.#coordination = coordination;
    this.#plan = plan;
    this.#change = change;
    const { primaries } = plan.replicas;
    const { w: all, pw } = plan.quorum;
    this.#tally = new SloppyTally({ all, primaries: pw, places: primaries.length });
    if (!isPrimary(coordination, plan)) {
      const absent = primaries.findIndex((member) => !isAtHand(coordination, member));
      this.#guestPlace = Math.max(0, absent);
      this.#tally.standIn(this.#guestPlace);
    }
  }

  start(): Promise<Written> {
    const { clock, hints, store } = this.#coordination;
    const { placed, deadline, replicas } = this.#plan;
    const bytes = bytesOf(this.#change);
    const { kind } = this.#change;
    this.#cancelTimer = clock.at(silentAt(clock.monotonicMs(), deadline), () => {
      this.#replaceSilent();
      this.#cancelTimer = clock.at(deadline, () => {
        this.#fail("timeout", "unknown", "too few replicas acknowledged in time");
      });
    });
    if (this.#guestPlace === undefined) {
      store.update(placed, {
        bytes,
        mayUseReserve: kind === "delete",
        apply: (held) => {
          // As in `write`: a rolled-back directory must not mint what others hold.
          if (held.state === "present") {
            store.observeOwnCounter(held.stored.record.clock.get(store.actor));
          }
          return this.#apply(held, store);
        },
        settle: (outcome) => {
          if (outcome.ok) this.#settleLocal(undefined);
          else this.#settleLocal(outcome.code === "failed" ? "internal" : outcome.code);
        },
      });
      return this.#outcome.promise;
    }
    hints.write((replicas.primaries[this.#guestPlace] as Member).id, placed, {
      bytes,
      apply: (held, minter) => this.#apply(held, minter),
      settle: (outcome) => {
        if (outcome.ok) this.#settleLocal(undefined);
        else this.#settleLocal(outcome.code === "hints-full" ? "overloaded" : outcome.code);
      },
    });
    return this.#outcome.promise;
  }

  /** Changes the record held here; a primary sends the result on within this turn. */
  #apply(held: Held, minter: Minter): StoredRecord | undefined {
    // Given up while it waited: then nothing is minted or sent on behalf of nobody.
    if (this.#isOver) return undefined;
    if (!isCurrent(this.#coordination, this.#plan)) {
      this.#refusal = "quorum-not-met";
      return undefined;
    }
    const before = held.state === "present" ? held.stored : undefined;
    const changed = changeRecord(this.#coordination, this.#plan, this.#change, before, () =>
      minter.mint(),
    );
    if (!changed.ok) {
      this.#refusal = changed.code;
      return undefined;
    }
    ({ dot: this.#dot, isRepeat: this.#isRepeat } = changed);
    const { stored } = changed;
    if (stored === undefined) return undefined;
    this.#stored = stored;
    if (this.#guestPlace === undefined) this.#sendToAll(stored);
    return stored === before ? undefined : stored;
  }

  #sendToAll(stored: StoredRecord): void {
    this.#wasSent = true;
    const { primaries } = this.#plan.replicas;
    for (let place = 0; place < primaries.length; place += 1) {
      const member = primaries[place] as Member;
      if (member.id !== this.#coordination.self) this.#send(place, member, stored);
    }
    if (this.#plan.replicas.next !== undefined) this.#sendToNewcomers(stored);
  }

  /** Who gets the partition gets its writes already, and has no vote on them. */
  #sendToNewcomers(stored: StoredRecord): void {
    for (const member of newcomersOf(this.#plan)) {
      // What a guest is to hold itself before long, it gets as it gets all the rest.
      if (member.id === this.#coordination.self) continue;
      writeCopy(this.#coordination, member, this.#plan, stored, () => undefined);
    }
  }

  /** To the primary; where it is known to be away, or this is a guest, to a fallback too. */
  #send(place: number, member: Member, stored: StoredRecord): void {
    writeCopy(this.#coordination, member, this.#plan, stored, (outcome) => {
      this.#noteReason(outcome);
      if (!outcome.ok && isAbsence.has(outcome.code)) this.#standIn(place);
      this.#vote(place, "primary", outcome.ok);
    });
    if (this.#guestPlace !== undefined || !isAtHand(this.#coordination, member)) {
      this.#standIn(place);
    }
  }

  /** Primaries that have said nothing for long are taken for absent. */
  #replaceSilent(): void {
    if (!this.#wasSent) return;
    for (const [place, member] of this.#plan.replicas.primaries.entries()) {
      const isOther = member.id !== this.#coordination.self;
      if (isOther && this.#tally.isPending(place)) this.#standIn(place);
    }
  }

  /** Has a fallback hold the record for this primary; each has one vote, and is asked once. */
  #standIn(place: number): void {
    if (this.#tally.hasStandIn(place)) return;
    this.#tally.standIn(place);
    this.#holdAtNext(place);
  }

  #holdAtNext(place: number): void {
    this.#standIns ??= new StandInSearch(this.#coordination, this.#plan);
    this.#standIns.find((member) => {
      if (member !== undefined) return this.#hold(place, member);
      this.#keep(place);
      this.#vote(place, "fallback", false);
    });
  }

  #hold(place: number, member: Member): void {
    const target = this.#plan.replicas.primaries[place] as Member;
    const stored = this.#stored as StoredRecord;
    holdCopy(this.#coordination, this.#plan, { member, target, stored }, (outcome) => {
      this.#noteReason(outcome);
      if (outcome.ok) this.#vote(place, "fallback", true);
      else this.#holdAtNext(place);
    });
  }

  /**
   * What no other fallback holds for a primary, a guest holds itself, without a vote: a primary
   * that coordinates has noted that the other one missed it, and a guest has nothing to note. It is
   * of now, however old the plan: while anything of the partition is held here for anybody, as this
   * write is for whose place was taken, this node confirms no fence that would make it old.
   */
  #keep(place: number): void {
    if (this.#guestPlace === undefined || this.#stored === undefined) return;
    const { hints, replica } = this.#coordination;
    const { placed, replicas } = this.#plan;
    const target = replicas.primaries[place] as Member;
    const isHeld = hints.mayHold(placed.partition);
    const kept = isHeld ? underFenceOfNow(this.#coordination, placed) : placed;
    replica.keep(target.id, kept, this.#stored, () => undefined);
  }

  /** This node's own vote, or the end of it all if nothing was sent. */
  #settleLocal(problem: ErrorCode | undefined): void {
    if (this.#refusal !== undefined) {
      return this.#fail(this.#refusal, "refused", refusalMessage(this.#refusal));
    }
    if (this.#guestPlace !== undefined) this.#sendAsGuest(problem);
    if (this.#wasSent) return this.#voteOwn(problem === undefined);
    if (this.#isOver) return;
    if (problem === undefined && this.#isRepeat) return this.#succeed();
    invariant(problem !== undefined, "what is stored here was sent to the others");
    const message = `the coordinator ${this.#coordination.self} could not store it`;
    // Part of it may be on the disk if that failed.
    const isOpen = this.#stored !== undefined && problem === "internal";
    this.#fail(problem, isOpen ? "unknown" : "refused", message);
  }

  /**
   * Only now that it is durable here. A guest that died before would have told others of a write
   * that it cannot tell the primary whose place it took, and nobody else knows what that one lacks;
   * while one that dies from now on owes it to every primary when it is back.
   */
  #sendAsGuest(problem: ErrorCode | undefined): void {
    if (problem === undefined && this.#stored !== undefined) this.#sendToAll(this.#stored);
  }

  #voteOwn(success: boolean): void {
    if (this.#guestPlace !== undefined) return this.#vote(this.#guestPlace, "fallback", success);
    const { self } = this.#coordination;
    const place = this.#plan.replicas.primaries.findIndex((member) => member.id === self);
    this.#vote(place, "primary", success);
  }

  #vote(place: number, voter: Voter, success: boolean): void {
    const verdict = this.#tally.record(place, voter, success);
    if (verdict === "reached") this.#succeed();
    if (verdict === "unreachable") {
      // At the deadline every open call ends as well: that is silence, not a refusal.
      const isLate = this.#coordination.clock.monotonicMs() >= this.#plan.deadline;
      const code = this.#reason ?? (isLate ? "timeout" : "quorum-not-met");
      this.#fail(code, "unknown", "too few replicas acknowledged the write");
    }
  }

  #noteReason(outcome: MergeOutcome): void {
    if (!outcome.ok && isTelling(outcome.code)) this.#reason = outcome.code;
  }

  #succeed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimer();
    const record: CausalRecord = this.#stored?.record ?? emptyRecord;
    const writeId = this.#change.kind === "put" ? this.#change.writeId : undefined;
    this.#outcome.settle({ ok: true, record, dot: this.#dot, writeId, acks: this.#acks() });
  }

  #fail(code: ErrorCode, outcome: Failure["outcome"], message: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimer();
    const failed = failure(this.#coordination, code, outcome, this.#acks(), message);
    this.#outcome.settle({ ...failed, dot: this.#dot });
  }

  #acks(): Acks {
    const { primaries, fallbacks } = this.#tally;
    return { primaries, fallbacks, required: requiredOf(this.#plan) };
  }
}
