import type { Member } from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import type { StoredRecord } from "@coterie/storage";
import type { MergeOutcome } from "../replica/replica.ts";
import type { Coordination } from "./coordination.ts";
import type { CallPlan } from "./call-plan.ts";
import { type ReplicaCopy, copyOf, mergedOf } from "./replica-calls.ts";
import type { RequestPlan } from "./request-plan.ts";

// Fallbacks, which stand in for primaries out of reach where a request is sloppy.

/** True for this node, and for members that are well as far as it knows. */
export function isAtHand(coordination: Coordination, member: Member): boolean {
  const { self, network } = coordination;
  if (member.id === self) return true;
  // Asked in either case: whoever is interested has broken streams opened again.
  const isReachable = network.isReachable(member.address);
  return isReachable && coordination.isHealthy(member.id);
}

/**
 * The fallbacks of a key that can be called, in ring order; this node may be one of them. Who is
 * suspected comes last and is not left out: a busy machine, or a cut that heals, has members
 * accused who have not denied it yet, and they serve all the while.
 */
export function standInsOf(coordination: Coordination, plan: RequestPlan): readonly Member[] {
  const { network, self } = coordination;
  const isSelf = ({ id }: Member): boolean => id === self;
  const callable = candidatesOf(coordination, plan).filter(
    (each) => isSelf(each) || network.isReachable(each.address),
  );
  const isWell = (each: Member): boolean => isSelf(each) || coordination.isHealthy(each.id);
  return [...callable.filter(isWell), ...callable.filter((member) => !isWell(member))];
}

/** The fallbacks of a key, in ring order, whether they can be called or not. */
export function candidatesOf(
  coordination: Coordination,
  { bucket, replicas }: RequestPlan,
): readonly Member[] {
  return coordination.ring().preferenceList(replicas.token, bucket.n).fallbacks;
}

/**
 * When a primary that has not answered is taken for absent: halfway to the deadline. Earlier, slow
 * disks would be given the work of others on top of theirs.
 */
export function silentAt(now: MonotonicMs, deadline: MonotonicMs): MonotonicMs {
  return now + (deadline - now) / 2;
}

export interface HeldCopy {
  /** The fallback. */
  readonly member: Member;
  /** The primary for which it holds the record. */
  readonly target: Member;
  readonly stored: StoredRecord;
}

/** Has a fallback hold a record for a primary; settles when it is durable there, or why not. */
export function holdCopy(
  coordination: Coordination,
  { placed, deadline, stamp }: CallPlan,
  { member, target, stored }: HeldCopy,
  settle: (outcome: MergeOutcome) => void,
): void {
  if (member.id === coordination.self) {
    coordination.replica.hold(target.id, placed, stored, settle);
    return;
  }
  const { fence } = placed;
  const request = { kind: "hint", stamp, target: target.id, fence, record: stored.bytes } as const;
  coordination.network.call(member.address, request, deadline, (reply) => settle(mergedOf(reply)));
}

/** Reads what `member` holds of a key for others. `settle(undefined)`: it gave no answer. */
export function readHeld(
  coordination: Coordination,
  member: Member,
  { placed, deadline, stamp }: CallPlan,
  settle: (copy: ReplicaCopy | undefined) => void,
): void {
  const { bucket, key } = placed;
  const request = { kind: "read-hint", stamp, bucket, key } as const;
  if (member.id === coordination.self) {
    coordination.replica.receiveReadHint(request, (response) => settle(copyOf(placed, response)));
    return;
  }
  coordination.network.call(member.address, request, deadline, (reply) =>
    settle(reply.ok ? copyOf(placed, reply.response) : undefined),
  );
}
