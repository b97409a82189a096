import type { Failure, WriteOutcome } from "../requests.ts";
import type { Coordination } from "./coordination.ts";
import { type RequestPlan, isCurrent, planRequest } from "./request-plan.ts";

/**
 * The plan of one more attempt at a request that failed while its key got other owners, within the
 * same deadline. First waits for a version that this node was told of, as it was refused for going
 * by an earlier one. `undefined` if the owners are those that the failed attempt went by, or there
 * is another reason why it would fail again: so there is at most one attempt per version.
 */
export async function planAgain(
  coordination: Coordination,
  before: RequestPlan,
  failed: Failure,
): Promise<RequestPlan | undefined> {
  if (failed.code !== "quorum-not-met" && failed.code !== "timeout") return undefined;
  const { agreement, clock } = coordination;
  await agreement.reachHeard(before.stamp.epoch, before.deadline);
  if (isCurrent(coordination, before) || clock.monotonicMs() >= before.deadline) return undefined;
  const strict = before.mode === "strict";
  const planned = planRequest(coordination, before.placed, { ...before.quorum, strict });
  if (!planned.ok) return undefined;
  return { ...planned.plan, deadline: before.deadline };
}

/** How a write ended whose earlier attempt failed: that one may have done something as well. */
export function afterAttempt(earlier: Failure, last: WriteOutcome): WriteOutcome {
  return last.ok || earlier.outcome === "refused" ? last : { ...last, outcome: "unknown" };
}
