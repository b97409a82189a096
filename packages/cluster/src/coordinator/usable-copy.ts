import { limits } from "@coterie/core";
import type { StoredRecord } from "@coterie/storage";
import type { Coordination } from "./coordination.ts";
import type { NamedCopy, ReplicaCopy } from "./replica-calls.ts";
import type { RequestPlan } from "./request-plan.ts";

/** What a replica has given: its copy, or which one that is. */
export type GivenCopy = ReplicaCopy | NamedCopy;

/** The copy, if it is an answer: if it says no more, and no less, than the replica can know. */
export function usable<Copy extends GivenCopy>(
  coordination: Coordination,
  plan: RequestPlan,
  copy: Copy | undefined,
): Copy | undefined {
  if (copy === undefined) return undefined;
  const { partition } = plan.placed;
  coordination.fences.note(partition, copy.fence);
  if (coordination.fences.isBehind(partition, copy.fence.raised)) return undefined;
  // Of one that is only named, the record it is taken for has passed here as well.
  if ("version" in copy) return copy;
  return isFromTheFuture(coordination, plan, copy.stored) ? undefined : copy;
}

/**
 * In an `lww` bucket a coordinator whose clock is far ahead leaves a timestamp in its own copy that
 * all others refuse. That copy is no answer: taken for one, it could not be repaired, and every
 * read that met it would fail until time caught up.
 */
export function isFromTheFuture(
  { clock }: Coordination,
  { bucket }: RequestPlan,
  stored: StoredRecord | undefined,
): boolean {
  if (bucket.policy !== "lww" || stored === undefined) return false;
  const latestMs = clock.wallMs() + limits.clockSkewMsMax;
  return stored.record.siblings.some(({ writtenAt }) => writtenAt.wallMs > latestMs);
}
