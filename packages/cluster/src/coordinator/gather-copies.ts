import { type Member, limits } from "@coterie/core";
import type { StoredRecord } from "@coterie/storage";
import type { KnownCopy } from "../hot/copy-cache.ts";
import type { Coordination } from "./coordination.ts";
import { type GatherPlan, type Gathered, gather } from "./gather.ts";
import { gatherJointly } from "./gather-jointly.ts";
import { gatherWithStandIns } from "./gather-with-stand-ins.ts";
import { type ReplicaCopy, readCopy } from "./replica-calls.ts";
import { type RequestPlan, isPrimary, isPrimaryOf } from "./request-plan.ts";
import { type GivenCopy, SparingRead, versionOf } from "./sparing-read.ts";
import { isAtHand, readHeld, standInsOf } from "./stand-ins.ts";

/**
 * Asks as many replicas for their copies as a read must have; fallbacks too, if it is sloppy. What
 * is here already, or comes from another replica, is not sent ({@link SparingRead}); if then some
 * version has no record, because the replicas differ, all are asked again, for everything.
 */
export async function gatherCopies(
  coordination: Coordination,
  plan: RequestPlan,
): Promise<Gathered<ReplicaCopy>> {
  const { deadline, quorum, replicas } = plan;
  const { clock, counters, routing } = coordination;
  const required = Math.max(quorum.r, quorum.pr);
  if (plan.mode === "strict" && replicas.next !== undefined) {
    return gatherJointly(coordination, replicas.primaries, replicas.next, {
      required,
      deadline,
      ask: (member, settle, isHedge) => {
        readCopy(coordination, member, plan, usable(coordination, plan, settle), isHedge);
      },
    });
  }
  const primaries = inTurn(coordination, plan);
  const members = routing.order(primaries, clock.monotonicMs());
  // In their own order nobody is left out for being slow.
  if (members !== primaries) probeOne(coordination, plan, members);
  const gatherBy = <Answer>(ask: GatherPlan<Answer>["ask"]): Promise<Gathered<Answer>> => {
    const asked = { clock, counters, routing, deadline, members, required, ask };
    if (plan.mode === "strict") return gather(asked);
    return gatherWithStandIns(asked, {
      primaries: quorum.pr,
      isAtHand: (member) => isAtHand(coordination, member),
      fallbacks: () => standInsOf(coordination, plan),
    });
  };
  const sparing = new SparingRead(coordination, plan, keptCopy(coordination, plan));
  const gathered = await gatherBy<GivenCopy>((member, settle, isHedge) => {
    const take = usable(coordination, plan, settle);
    if (isPrimaryOf(plan, member)) sparing.ask(member, take, isHedge);
    else readHeld(coordination, member, plan, take);
  });
  const resolved = sparing.resolve(gathered);
  if (resolved !== undefined) return resolved;
  counters.versionsDiffered += 1;
  return gatherBy<ReplicaCopy>((member, settle, isHedge) => {
    const take = usable(coordination, plan, settle);
    if (isPrimaryOf(plan, member)) readCopy(coordination, member, plan, take, isHedge);
    else readHeld(coordination, member, plan, take);
  });
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

/** Asks one that this read avoids as well, without waiting: it may have recovered. */
function probeOne(coordination: Coordination, plan: RequestPlan, members: readonly Member[]): void {
  const { clock, counters, routing } = coordination;
  const { quorum } = plan;
  const required = Math.max(quorum.r, quorum.pr);
  const member = routing.dueProbe(members, required, clock.monotonicMs());
  if (member === undefined) return;
  counters.readProbes += 1;
  readCopy(coordination, member, plan, () => undefined);
}

/** Settles with a copy only if it is an answer. */
function usable<Copy extends GivenCopy>(
  coordination: Coordination,
  plan: RequestPlan,
  settle: (copy: Copy | undefined) => void,
): (copy: Copy | undefined) => void {
  return (copy) => settle(isUsable(coordination, plan, copy) ? copy : undefined);
}

/** False for a copy that is no answer, as it says more, or less, than the replica can know. */
function isUsable(
  coordination: Coordination,
  plan: RequestPlan,
  copy: GivenCopy | undefined,
): boolean {
  if (copy === undefined) return false;
  const { partition } = plan.placed;
  coordination.fences.note(partition, copy.fence);
  if (coordination.fences.isBehind(partition, copy.fence.raised)) return false;
  // Of one that is only named, the record it is taken for has passed here as well.
  return "version" in copy || !isFromTheFuture(coordination, plan, copy.stored);
}

/**
 * In an `lww` bucket a coordinator whose clock is far ahead leaves a timestamp in its own copy that
 * all others refuse. That copy is no answer: taken for one, it could not be repaired, and every
 * read that met it would fail until time caught up.
 */
function isFromTheFuture(
  { clock }: Coordination,
  { bucket }: RequestPlan,
  stored: StoredRecord | undefined,
): boolean {
  if (bucket.policy !== "lww" || stored === undefined) return false;
  const latestMs = clock.wallMs() + limits.clockSkewMsMax;
  return stored.record.siblings.some(({ writtenAt }) => writtenAt.wallMs > latestMs);
}
