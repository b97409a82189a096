import type { ForwardedDelete, ForwardedPut } from "../messages.ts";
import type { WriteOutcome } from "../requests.ts";
import type { Change } from "./change.ts";
import type { Coordination } from "./coordination.ts";
import { forward, tryPrimaries, withWriteId } from "./forward.ts";
import { dressWritten } from "./presentation.ts";
import type { RequestPlan } from "./request-plan.ts";
import { problemWithSloppyWrite, writeSloppily } from "./sloppy-write.ts";
import { isAtHand } from "./stand-ins.ts";

/**
 * Takes a write at a node that is no primary of its key: passes it on to one that is. If none can
 * take it and the write is sloppy, this node coordinates it itself. All attempts are one write, as
 * they carry one id.
 */
export async function passOn(
  coordination: Coordination,
  plan: RequestPlan,
  request: ForwardedPut | ForwardedDelete,
  change: Change,
): Promise<WriteOutcome> {
  if (plan.mode === "strict") return forward(coordination, plan, request);
  const identified = withWriteId(coordination, request);
  const isAnyAtHand = plan.replicas.primaries.some((member) => isAtHand(coordination, member));
  if (!isAnyAtHand && problemWithSloppyWrite(coordination, plan) === undefined) {
    return standIn(coordination, plan, identified, change);
  }
  const { outcome, mayTryNext } = await tryPrimaries(coordination, plan, identified, 1);
  if (outcome.ok || !mayTryNext) return outcome;
  const own = await standIn(coordination, plan, identified, change);
  // What a primary may have done is not undone by this node's refusal.
  return !own.ok && own.outcome === "refused" ? outcome : own;
}

async function standIn(
  coordination: Coordination,
  plan: RequestPlan,
  request: ForwardedPut | ForwardedDelete,
  change: Change,
): Promise<WriteOutcome> {
  const identified =
    change.kind === "put" && request.kind === "put"
      ? { ...change, writeId: request.writeId }
      : change;
  const written = await writeSloppily(coordination, plan, identified);
  const returnBody = request.kind === "put" && request.returnBody;
  return dressWritten(coordination, plan, written, { returnBody });
}
