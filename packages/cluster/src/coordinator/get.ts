import {
  type CausalRecord,
  type Key,
  type Member,
  QuorumTally,
  contextOf,
  emptyRecord,
  encodeContext,
  equalBytes,
  mergeRecords,
  unexpiredSiblings,
} from "@coterie/core";
import type { StoredRecord } from "@coterie/storage";
import { countSiblings } from "../node-counters.ts";
import { oneShot } from "../one-shot.ts";
import { isOverWarning } from "../replica/replica.ts";
import type { Acks, Failure, GetOutcome, RequestOptions } from "../requests.ts";
import type { Coordination } from "./coordination.ts";
import { failure, noAcks } from "./failure.ts";
import type { Gathered, GatheredAnswer } from "./gather.ts";
import { gatherCopies, keepCopy } from "./gather-copies.ts";
import { planAgain } from "./plan-again.ts";
import { allSiblings, shownSiblings } from "./presentation.ts";
import type { QuorumAnswer, QuorumRead } from "./quorum-read.ts";
import {
  type RequestPlan,
  isCurrent,
  isPrimaryOf,
  isReplica,
  newcomersOf,
  planRequest,
  underFenceOfNow,
  voterSetOf,
} from "./request-plan.ts";
import { type ReplicaCopy, storedOf, writeCopy } from "./replica-calls.ts";
import { silentAt } from "./stand-ins.ts";

/** What a get may allow an answer to be old, in milliseconds. */
const staleMsMax = 60_000;

/** Coordinates one read (Dynamo, section 4.5): any node may. */
export async function get(
  coordination: Coordination,
  key: Key,
  options: RequestOptions,
): Promise<GetOutcome> {
  coordination.counters.gets += 1;
  const planned = planRequest(coordination, key, options);
  if (!planned.ok) return planned;
  let { plan } = planned;
  coordination.hotKeys.noteRead(plan.placed);
  const staleMs = options.maxStaleMs ?? 0;
  if (!Number.isInteger(staleMs) || staleMs < 0 || staleMs > staleMsMax) {
    const message = `max_stale is an integer from 0 to ${staleMsMax} milliseconds`;
    return failure(coordination, "bad-request", "refused", noAcks, message);
  }
  const recent = staleMs === 0 ? undefined : recentRead(coordination, plan, staleMs);
  if (recent !== undefined) return dress(coordination, plan, options, recent);
  const { pressure } = coordination;
  const bytes = expectedBytes(coordination, plan);
  if (!pressure.hold(bytes)) {
    const acks = { primaries: 0, fallbacks: 0, required: plan.quorum.r };
    const message = `${pressure.bytes} bytes of values are in flight`;
    return failure(coordination, "overloaded", "refused", acks, message);
  }
  let read = await readShared(coordination, plan);
  while (!read.ok) {
    const again = await planAgain(coordination, plan, read);
    if (again === undefined) break;
    plan = again;
    read = await readShared(coordination, plan);
  }
  pressure.give(bytes);
  if (!read.ok) return read;
  const { hotKeys } = coordination;
  if (staleMs > 0 && hotKeys.isReadOften(plan.placed)) hotKeys.recent.keep(plan, read);
  return dress(coordination, plan, options, read);
}

/** What a read has found not long ago, which the get has said will do. */
function recentRead(
  { clock, counters, hotKeys }: Coordination,
  plan: RequestPlan,
  staleMs: number,
): QuorumAnswer | undefined {
  const recent = hotKeys.recent.find(plan, staleMs, clock.monotonicMs());
  if (recent !== undefined) counters.getsStale += 1;
  return recent;
}

/** A read as the client gets it. */
function dress(
  coordination: Coordination,
  { bucket, nowMs, placed }: RequestPlan,
  options: RequestOptions,
  read: QuorumAnswer,
): GetOutcome {
  const record = read.stored?.record ?? emptyRecord;
  countRead(coordination, bucket.name, record, nowMs);
  const show = options.allSiblings === true ? allSiblings : shownSiblings;
  return {
    ok: true,
    siblings: show(bucket, record, nowMs),
    context: options.withoutContext === true ? undefined : contextText(coordination, placed, read),
    acks: read.acks,
  };
}

/** As {@link readQuorum}, perhaps together with other gets that are here. */
function readShared(coordination: Coordination, plan: RequestPlan): Promise<QuorumRead> {
  return coordination.readFlights.read(plan, (onEnd) => readQuorum(coordination, plan, onEnd));
}

function contextText(
  { contextSeal }: Coordination,
  key: Key,
  read: QuorumAnswer,
): string | undefined {
  if (read.stored === undefined) return undefined;
  read.shownContext ??= encodeContext(contextOf(read.stored.record), key, contextSeal);
  return read.shownContext;
}

/** What all copies asked for will take in memory, going by this node's own. */
function expectedBytes({ store }: Coordination, { placed, quorum }: RequestPlan): number {
  return store.bytesHeld(placed) * Math.max(quorum.r, quorum.pr);
}

/**
 * Reads from r primaries, merges what they hold, and where they differed waits until the merged
 * record is durable at n − r + 1 primaries: then every later read at r meets it, which makes
 * strict reads monotonic even after a write that reached fewer than w.
 *
 * Where a round of reaping came between the answers they are asked for anew, once: by then all have
 * raised the fence, but for who has an old copy of its directory.
 *
 * @param onEnd Called when all is known, before the promise settles.
 */
export async function readQuorum(
  coordination: Coordination,
  plan: RequestPlan,
  onEnd: () => void = nobodyWaits,
): Promise<QuorumRead> {
  try {
    const { clock } = coordination;
    let asked = plan;
    let beganMs = clock.monotonicMs();
    let gathered = await copiesOf(coordination, asked);
    let found = judge(coordination, asked, gathered);
    if (found === undefined) {
      asked = { ...plan, placed: underFenceOfNow(coordination, plan.placed) };
      beganMs = clock.monotonicMs();
      gathered = await copiesOf(coordination, asked);
      found = judge(coordination, asked, gathered) ?? behind(coordination, asked, gathered);
    }
    if (!found.ok) return found;
    const isEqual = found.isSettled || (await makeEqual(coordination, asked, found));
    const { stored, acks } = found;
    if (!isEqual && plan.mode === "strict") {
      const message = "what the replicas held differed, and could not be made equal in time";
      return failure(coordination, "quorum-not-met", "refused", acks, message);
    }
    keepCopy(coordination, plan, stored);
    return { ok: true, stored, acks, beganMs };
  } finally {
    onEnd();
  }
}

const nobodyWaits = (): void => {};

/** The one promise between the question and the answers of all who are needed. */
function copiesOf(coordination: Coordination, plan: RequestPlan): Promise<Gathered<ReplicaCopy>> {
  return new Promise((resolve) => gatherCopies(coordination, plan, resolve));
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

function countRead(
  { counters }: Coordination,
  bucket: string,
  record: CausalRecord,
  nowMs: number,
): void {
  const count = unexpiredSiblings(record.siblings, nowMs).length;
  countSiblings(counters, bucket, count);
  if (count > 1) counters.siblingsReturned += 1;
  if (count > counters.siblingsMax) counters.siblingsMax = count;
  if (isOverWarning(record)) counters.siblingWarnings += 1;
}

function readMessage(acks: Acks): string {
  return `${acks.primaries} of the ${acks.required} replicas required answered the read`;
}
