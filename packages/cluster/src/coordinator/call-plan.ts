import type { MonotonicMs } from "@coterie/ports";
import type { RingStamp } from "../messages.ts";
import type { FencedKey } from "../reaping/fenced-key.ts";

/** What a replica is asked about, until when, and under which ring. A request's plan is one. */
export interface CallPlan {
  readonly placed: FencedKey;
  readonly deadline: MonotonicMs;
  readonly stamp: RingStamp;
}
