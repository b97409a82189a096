import {
  type CausalRecord,
  type Member,
  QuorumTally,
  emptyRecord,
  equalBytes,
  mergeRecords,
} from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import type { StoredRecord } from "@coterie/storage";
import type { Ending } from "../ending.ts";
import { oneShot } from "../one-shot.ts";
import type { Acks, Failure } from "../requests.ts";
import type { Coordination } from "./coordination.ts";
import { failure } from "./failure.ts";
import type { Gathered, GatheredAnswer } from "./gather.ts";
import { gatherCopies, keepCopy } from "./gather-copies.ts";
import type { QuorumAnswer, QuorumRead } from "./quorum-read.ts";
import { type ReplicaCopy, storedOf, writeCopy } from "./replica-calls.ts";
import {
  type RequestPlan,
  isCurrent,
  isPrimaryOf,
  isReplica,
  newcomersOf,
  underFenceOfNow,
  voterSetOf,
} from "./request-plan.ts";
import { silentAt } from "./stand-ins.ts";

/**
 * Reads from r primaries, merges what they hold, and where they differed waits until the merged
 * record is durable at n − r + 1 primaries: then every later read at r meets it, which makes
 * strict reads monotonic even after a write that reached fewer than w.
 *
 * Where a round of reaping came between the answers they are asked for anew, once: by then all have
 * raised the fence, but for who has an old copy of its directory.
 */
export function readQuorum(
  coordination: Coordination,
  plan: RequestPlan,
  ending: Ending<QuorumRead>,
): void {
  new Reading(coordination, plan, ending).begin();
}

/** A quorum read that is under way. */
class Reading {
  readonly #coordination: Coordination;
  readonly #plan: RequestPlan;
  readonly #ending: Ending<QuorumRead>;
  /** The plan, and the second time under the fence of then. */
  #asked: RequestPlan;
  #beganMs: MonotonicMs = 0;

  constructor(coordination: Coordination, plan: RequestPlan, ending: Ending<QuorumRead>) {
    this.#coordination = coordination;
    this.#plan = plan;
    this.#asked = plan;
    this.#ending = ending;
  }

  begin(): void {
    this.#beganMs = this.#coordination.clock.monotonicMs();
    try {
      gatherCopies(this.#coordination, this.#asked, (gathered) => this.#take(gathered));
    } catch (error) {
      this.#ending.fail(error);
    }
  }

  #take(gathered: Gathered<ReplicaCopy>): void {
    let read: QuorumRead | undefined;
    try {
      read = this.#readOf(gathered);
    } catch (error) {
      return this.#ending.fail(error);
    }
    if (read !== undefined) this.#ending.settle(read);
  }

  /** `undefined`: something is still being done about it. */
  #readOf(gathered: Gathered<ReplicaCopy>): QuorumRead | undefined {
    const coordination = this.#coordination;
    const found = judge(coordination, this.#asked, gathered);
    if (found === undefined) {
      if (this.#asked !== this.#plan) return behind(coordination, this.#asked, gathered);
      const placed = underFenceOfNow(coordination, this.#plan.placed);
      this.#asked = { ...this.#plan, placed };
      this.begin();
      return undefined;
    }
    if (!found.ok) return found;
    if (found.isSettled) return this.#answer(found);
    void this.#makeEqual(found);
    return undefined;
  }

  async #makeEqual(found: Found): Promise<void> {
    const coordination = this.#coordination;
    let read: QuorumRead;
    try {
      const isEqual = await makeEqual(coordination, this.#asked, found);
      read =
        isEqual || this.#plan.mode !== "strict"
          ? this.#answer(found)
          : unequal(coordination, found.acks);
    } catch (error) {
      return this.#ending.fail(error);
    }
    this.#ending.settle(read);
  }

  #answer({ stored, acks }: Found): QuorumAnswer {
    keepCopy(this.#coordination, this.#plan, stored);
    return { ok: true, stored, acks, beganMs: this.#beganMs };
  }
}

/** What the answers of enough replicas come to. */
interface Found extends Reconciled {
  readonly ok: true;
  readonly acks: Acks;
  /** The lowest under which any of the copies was read. */
  readonly fence: number;
}

/** `undefined`: one of the answers was read before something that another replica has reaped. */
function judge(
  coordination: Coordination,
  plan: RequestPlan,
  gathered: Gathered<ReplicaCopy>,
): Found | Failure | undefined {
  const { answers } = gathered;
  const acks = acksOf(plan, answers);
  if (!gathered.ok) {
    return failure(coordination, gathered.code, "refused", acks, readMessage(acks));
  }
  const fence = lowestFence(coordination, plan, answers);
  if (fence === undefined) return undefined;
  const { stored, holders, isSettled } = reconcile(plan, answers);
  return { ok: true, acks, fence, stored, holders, isSettled };
}

function behind(
  coordination: Coordination,
  plan: RequestPlan,
  { answers }: Gathered<ReplicaCopy>,
): Failure {
  const message = "a replica answered that does not know yet what was deleted";
  return failure(coordination, "quorum-not-met", "refused", acksOf(plan, answers), message);
}

function unequal(coordination: Coordination, acks: Acks): Failure {
  const message = "what the replicas held differed, and could not be made equal in time";
  return failure(coordination, "quorum-not-met", "refused", acks, message);
}

/** Read repair, as far as the read waits for it; false if it could not be done in time. */
function makeEqual(
  coordination: Coordination,
  plan: RequestPlan,
  { fence, stored, holders }: Found,
): Promise<boolean> | boolean {
  if (stored === undefined) return true;
  return repair(coordination, repairPlan(coordination, plan, fence), stored, holders);
}

function acksOf(plan: RequestPlan, answers: readonly GatheredAnswer<ReplicaCopy>[]): Acks {
  let primaries = 0;
  let fallbacks = 0;
  for (const { member } of answers) {
    if (isPrimaryOf(plan, member)) primaries += 1;
    else if (!isReplica(plan, member)) fallbacks += 1;
  }
  return { primaries, fallbacks, required: Math.max(plan.quorum.r, plan.quorum.pr) };
}

/** A sloppy read does not wait long for primaries to be made equal. */
function repairPlan({ clock }: Coordination, plan: RequestPlan, fence: number): RequestPlan {
  const placed = { ...plan.placed, fence };
  if (plan.mode === "strict") return { ...plan, placed };
  return { ...plan, placed, deadline: silentAt(clock.monotonicMs(), plan.deadline) };
}

/**
 * The lowest number under which any of the copies was read, as what is merged of them is no newer;
 * `undefined` if one was read before something that another replica has reaped since.
 */
function lowestFence(
  coordination: Coordination,
  { placed }: RequestPlan,
  answers: readonly GatheredAnswer<ReplicaCopy>[],
): number | undefined {
  let lowest = placed.fence;
  let reaped = coordination.fences.of(placed.partition).reaped;
  for (const { answer } of answers) {
    lowest = Math.min(lowest, answer.fence.raised);
    reaped = Math.max(reaped, answer.fence.reaped);
  }
  for (const { answer } of answers) if (answer.fence.raised < reaped) return undefined;
  return lowest;
}

interface Reconciled {
  readonly stored: StoredRecord | undefined;
  /** All replicas that answered hold the result already. */
  readonly isSettled: boolean;
  /** If not all: those who do. */
  readonly holders: readonly Member[];
}

/** Merges the copies, and says which replicas already hold the result. */
function reconcile(plan: RequestPlan, answers: readonly GatheredAnswer<ReplicaCopy>[]): Reconciled {
  const first = answers[0]?.answer.stored;
  if (answers.every(({ answer }) => isSame(answer.stored, first))) {
    return { stored: first, holders: noMembers, isSettled: true };
  }
  let merged: CausalRecord = emptyRecord;
  for (const { answer } of answers) {
    if (answer.stored !== undefined) merged = mergeRecords(merged, answer.stored.record);
  }
  const stored = storedOf(plan.placed, merged);
  const replicas = answers.filter(({ member }) => isReplica(plan, member));
  const holders = replicas
    .filter(({ answer }) => isSame(answer.stored, stored))
    .map(({ member }) => member);
  return { stored, holders, isSettled: holders.length === replicas.length };
}

const noMembers: readonly Member[] = [];

function isSame(left: StoredRecord | undefined, right: StoredRecord | undefined): boolean {
  if (left === right) return true;
  return left !== undefined && right !== undefined && equalBytes(left.bytes, right.bytes);
}

/**
 * Read repair: merges the reconciled record into every primary not known to hold it, and while the
 * partition moves into those who will be primaries too, if the read asked them. Resolves true once
 * n − r + 1 hold it durably, of each, false when they cannot or time is up; what is under way then
 * goes on.
 */
function repair(
  coordination: Coordination,
  plan: RequestPlan,
  stored: StoredRecord,
  holders: readonly Member[],
): Promise<boolean> {
  const { promise, settle } = oneShot<boolean>();
  const { primaries, next } = plan.replicas;
  const isJoint = plan.mode === "strict" && next !== undefined;
  const needed = primaries.length - Math.max(plan.quorum.r, plan.quorum.pr) + 1;
  const tally = new QuorumTally(needed, primaries.length, isJoint ? next.length : 0);
  const vote = (member: Member, ok: boolean): void => {
    const verdict = tally.record(ok, isJoint ? voterSetOf(plan, member) : "present");
    if (verdict === "reached") settle(true);
    if (verdict === "unreachable") settle(false);
  };
  const replicas = isJoint ? [...primaries, ...newcomersOf(plan)] : primaries;
  for (const member of replicas) {
    if (holders.includes(member)) vote(member, true);
  }
  for (const member of replicas) {
    if (holders.includes(member)) continue;
    coordination.counters.readRepairs += 1;
    writeCopy(coordination, member, plan, stored, (outcome) => {
      // As at any replica: no vote under owners that are not those of now.
      const isOwn = member.id === coordination.self;
      vote(member, outcome.ok && (!isOwn || isCurrent(coordination, plan)));
    });
  }
  return promise;
}

function readMessage(acks: Acks): string {
  return `${acks.primaries} of the ${acks.required} replicas required answered the read`;
}
