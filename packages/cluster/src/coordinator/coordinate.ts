import type { Change } from "./change.ts";
import type { Coordination } from "./coordination.ts";
import type { RequestPlan } from "./request-plan.ts";
import { writeSloppily } from "./sloppy-write.ts";
import { type Written, write } from "./write.ts";

/** Coordinates a write at one of its primaries, in the mode that it asks for. */
export function coordinate(
  coordination: Coordination,
  plan: RequestPlan,
  change: Change,
): Promise<Written> {
  return plan.mode === "strict"
    ? write(coordination, plan, change)
    : writeSloppily(coordination, plan, change);
}
