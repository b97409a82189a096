import { type Member, limits } from "@coterie/core";
import type { Coordination } from "./coordination.ts";
import { type GatherPlan, type Gathered, gather } from "./gather.ts";
import { gatherWithStandIns } from "./gather-with-stand-ins.ts";
import { type ReplicaCopy, readCopy } from "./replica-calls.ts";
import { type RequestPlan, isPrimaryOf } from "./request-plan.ts";
import { isAtHand, readHeld, standInsOf } from "./stand-ins.ts";

/** Asks as many replicas for their copies as a read must have; fallbacks too, if it is sloppy. */
export function gatherCopies(
  coordination: Coordination,
  plan: RequestPlan,
): Promise<Gathered<ReplicaCopy>> {
  const { deadline, placed, quorum, replicas } = plan;
  const { clock, counters, routing } = coordination;
  const required = Math.max(quorum.r, quorum.pr);
  const members = routing.order(replicas.primaries, clock.monotonicMs());
  // In the ring's own order nobody is left out for being slow.
  if (members !== replicas.primaries) probeOne(coordination, plan, members);
  const asked: GatherPlan<ReplicaCopy> = {
    clock,
    counters,
    routing,
    deadline,
    members,
    required,
    ask: (member, settle, isHedge) => {
      const take = (copy: ReplicaCopy | undefined): void =>
        settle(isUsable(coordination, plan, copy) ? copy : undefined);
      if (isPrimaryOf(plan, member)) {
        readCopy(coordination, member, placed, deadline, take, isHedge);
      } else readHeld(coordination, member, placed, deadline, take);
    },
  };
  if (plan.mode === "strict") return gather(asked);
  return gatherWithStandIns(asked, {
    primaries: quorum.pr,
    isAtHand: (member) => isAtHand(coordination, member),
    fallbacks: () => standInsOf(coordination, plan),
  });
}

/** Asks one that this read avoids as well, without waiting: it may have recovered. */
function probeOne(
  coordination: Coordination,
  { deadline, placed, quorum }: RequestPlan,
  members: readonly Member[],
): void {
  const { clock, counters, routing } = coordination;
  const required = Math.max(quorum.r, quorum.pr);
  const member = routing.dueProbe(members, required, clock.monotonicMs());
  if (member === undefined) return;
  counters.readProbes += 1;
  readCopy(coordination, member, placed, deadline, () => undefined);
}

/** False for a copy that is no answer, as it says more, or less, than the replica can know. */
function isUsable(
  coordination: Coordination,
  plan: RequestPlan,
  copy: ReplicaCopy | undefined,
): boolean {
  if (copy === undefined) return false;
  const { partition } = plan.placed;
  coordination.fences.note(partition, copy.fence);
  if (coordination.fences.isBehind(partition, copy.fence.raised)) return false;
  return !isFromTheFuture(coordination, plan, copy);
}

/**
 * In an `lww` bucket a coordinator whose clock is far ahead leaves a timestamp in its own copy that
 * all others refuse. That copy is no answer: taken for one, it could not be repaired, and every
 * read that met it would fail until time caught up.
 */
function isFromTheFuture(
  { clock }: Coordination,
  { bucket }: RequestPlan,
  copy: ReplicaCopy,
): boolean {
  if (bucket.policy !== "lww" || copy.stored === undefined) return false;
  const latestMs = clock.wallMs() + limits.clockSkewMsMax;
  return copy.stored.record.siblings.some(({ writtenAt }) => writtenAt.wallMs > latestMs);
}
