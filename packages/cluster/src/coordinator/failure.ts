import type { ErrorCode, FailureOutcome } from "@coterie/core";
import type { Acks, Failure } from "../requests.ts";
import type { Coordination } from "./coordination.ts";

export const noAcks: Acks = { primaries: 0, fallbacks: 0, required: 0 };

/** A failed request, counted. */
export function failure(
  { counters }: Pick<Coordination, "counters">,
  code: ErrorCode,
  outcome: FailureOutcome,
  acks: Acks,
  message: string,
): Failure {
  if (code === "quorum-not-met") counters.quorumFailures += 1;
  if (code === "timeout") counters.timeouts += 1;
  if (code === "overloaded") counters.overloads += 1;
  return { ok: false, code, message, outcome, acks };
}
