import type { Member } from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import type { StoredRecord } from "@coterie/storage";
import type { KnownCopy } from "../hot/copy-cache.ts";
import type { Coordination } from "./coordination.ts";
import { type GatherPlan, type Gathered, gather } from "./gather.ts";
import { gatherJointly } from "./gather-jointly.ts";
import { gatherWithStandIns } from "./gather-with-stand-ins.ts";
import { type ReplicaCopy, readCopy } from "./replica-calls.ts";
import { type RequestPlan, isPrimary, isPrimaryOf, isReplica } from "./request-plan.ts";
import { SparingRead, versionOf } from "./sparing-read.ts";
import { readHeld } from "./stand-ins.ts";
import { type GivenCopy, isFromTheFuture, usable } from "./usable-copy.ts";

/**
 * Asks as many replicas for their copies as a read must have; fallbacks too, if it is sloppy. What
 * is here already, or comes from another replica, is not sent ({@link SparingRead}); if then some
 * version has no record, because the replicas differ, all are asked again, for everything.
 */
export function gatherCopies(
  coordination: Coordination,
  plan: RequestPlan,
  settle: (gathered: Gathered<ReplicaCopy>) => void,
): void {
  const { quorum, replicas } = plan;
  const required = Math.max(quorum.r, quorum.pr);
  if (plan.mode === "strict" && replicas.next !== undefined) {
    const { primaries: present, next } = replicas;
    const asked = { required, deadline: plan.deadline, ask: askInFull(coordination, plan) };
    return gatherJointly(coordination, { present, next }, asked, settle);
  }
  const members = orderOf(coordination, plan, required);
  const sparing = new SparingRead(coordination, plan, keptCopy(coordination, plan));
  const ask: GatherPlan<GivenCopy>["ask"] = (member, take, isHedge) => {
    if (isPrimaryOf(plan, member)) sparing.ask(member, take, isHedge);
    else askHeld(coordination, plan, member, take);
  };
  const needsMore = (): boolean => sparing.needsMore;
  gatherFrom(coordination, plan, { members, required, ask, needsMore }, (gathered) => {
    const resolved = sparing.resolve(gathered);
    if (resolved !== undefined) return settle(resolved);
    coordination.counters.versionsDiffered += 1;
    const again = { members, required, ask: askInFull(coordination, plan) };
    gatherFrom(coordination, plan, again, settle);
  });
}

function gatherFrom<Answer>(
  coordination: Coordination,
  plan: RequestPlan,
  whom: Pick<GatherPlan<Answer>, "members" | "required" | "ask" | "needsMore">,
  settle: (gathered: Gathered<Answer>) => void,
): void {
  const { clock, counters, routing } = coordination;
  const asked = { clock, counters, routing, deadline: plan.deadline, ...whom };
  if (plan.mode === "strict") gather(asked, settle);
  else gatherWithStandIns(coordination, plan, asked, settle);
}

/** Asks primaries for their copies, whatever is known here, and fallbacks for what they hold. */
function askInFull(coordination: Coordination, plan: RequestPlan): GatherPlan<ReplicaCopy>["ask"] {
  return (member, settle, isHedge) => {
    if (!isReplica(plan, member)) return askHeld(coordination, plan, member, settle);
    const take = (copy: ReplicaCopy | undefined): void => settle(usable(coordination, plan, copy));
    readCopy(coordination, member, plan, take, isHedge);
  };
}

function askHeld(
  coordination: Coordination,
  plan: RequestPlan,
  member: Member,
  settle: (copy: ReplicaCopy | undefined) => void,
): void {
  readHeld(coordination, member, plan, (copy) => settle(usable(coordination, plan, copy)));
}

/** The primaries, best first. One that this read avoids is asked as well, now and then. */
function orderOf(
  coordination: Coordination,
  plan: RequestPlan,
  required: number,
): readonly Member[] {
  const { clock, routing } = coordination;
  const primaries = inTurn(coordination, plan);
  const nowMs = clock.monotonicMs();
  const members = routing.order(primaries, nowMs);
  // In their own order nobody is left out for being slow.
  if (members !== primaries) probeOne(coordination, plan, members, required, nowMs);
  return members;
}

/** The primaries: usually as the ring has them, and of a key that is read a lot, each in turn. */
function inTurn({ hotKeys }: Coordination, { placed, replicas }: RequestPlan): readonly Member[] {
  const { primaries } = replicas;
  if (!hotKeys.isReadOften(placed)) return primaries;
  const first = hotKeys.nextTurn() % primaries.length;
  return first === 0 ? primaries : [...primaries.slice(first), ...primaries.slice(0, first)];
}

/** What an earlier read has left here of a key that this node holds no copy of. */
function keptCopy(coordination: Coordination, plan: RequestPlan): KnownCopy | undefined {
  if (isPrimary(coordination, plan)) return undefined;
  const kept = coordination.hotKeys.copies.find(plan.placed);
  return kept === undefined || isFromTheFuture(coordination, plan, kept.stored) ? undefined : kept;
}

/** Leaves what a read has come upon for later ones, if there are many. */
export function keepCopy(
  coordination: Coordination,
  plan: RequestPlan,
  stored: StoredRecord | undefined,
): void {
  const { counters, hotKeys } = coordination;
  if (stored === undefined || isPrimary(coordination, plan)) return;
  const { copies } = hotKeys;
  if (copies.find(plan.placed)?.stored === stored || !hotKeys.isReadOften(plan.placed)) return;
  copies.keep(plan.placed, stored, versionOf(stored, plan.bucket.n));
  counters.copiesKept += 1;
}

/** Asks one that this read avoids, without waiting: it may have recovered. */
function probeOne(
  coordination: Coordination,
  plan: RequestPlan,
  members: readonly Member[],
  required: number,
  nowMs: MonotonicMs,
): void {
  const { counters, routing } = coordination;
  const member = routing.dueProbe(members, required, nowMs);
  if (member === undefined) return;
  counters.readProbes += 1;
  readCopy(coordination, member, plan, () => undefined);
}
