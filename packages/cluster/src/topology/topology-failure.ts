import type { ErrorCode, FailureOutcome } from "@coterie/core";

/** Why the members, or what they go by, were not changed. */
export interface TopologyFailure {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly message: string;
  readonly outcome: FailureOutcome;
}
