import {
  type BucketSettings,
  type Key,
  type Member,
  type Quorum,
  type ReplicaPlan,
  type RequestMode,
  type RingStamp,
  type VoterSet,
  keyBytesMax,
  resolveMode,
  resolveQuorum,
} from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import type { FencedKey } from "../reaping/fenced-key.ts";
import type { Failure, RequestOptions } from "../requests.ts";
import type { Coordination } from "./coordination.ts";
import { failure, noAcks } from "./failure.ts";

/** The longest a request may ask to wait, in milliseconds. */
const timeoutMsMax = 60_000;

/** Everything about a request that is settled before anyone is asked. Immutable. */
export interface RequestPlan {
  readonly bucket: BucketSettings;
  readonly placed: FencedKey;
  readonly replicas: ReplicaPlan;
  readonly quorum: Quorum;
  readonly mode: RequestMode;
  readonly deadline: MonotonicMs;
  /** Of the ring that the plan was made from: under it, and no other, replicas are asked. */
  readonly stamp: RingStamp;
  /** Wall time of the request: by it, and by no other, a value has expired or has not. */
  readonly nowMs: number;
}

export type PlannedRequest = { readonly ok: true; readonly plan: RequestPlan } | Failure;

/** Checks a request against its bucket, and finds the replicas under the ring of now. */
export function planRequest(
  coordination: Coordination,
  key: Key,
  options: RequestOptions,
): PlannedRequest {
  if (key.key.length < 1 || key.key.length > keyBytesMax) {
    return refuse(
      coordination,
      "bad-request",
      `a key has 1 to ${keyBytesMax} bytes, not ${key.key.length}`,
    );
  }
  const ring = coordination.ring();
  const bucket = ring.bucket(key.bucket);
  if (bucket === undefined) {
    return refuse(coordination, "no-such-bucket", `there is no bucket ${key.bucket}`);
  }
  const quorum = resolveQuorum(bucket, options);
  if (!quorum.ok) return refuse(coordination, "bad-request", quorum.message);
  const mode = resolveMode(bucket, options);
  const timeoutMs = options.timeoutMs ?? coordination.tuning.timeoutMsDefault;
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > timeoutMsMax) {
    const message = `timeout is an integer from 1 to ${timeoutMsMax} milliseconds`;
    return refuse(coordination, "bad-request", message);
  }
  const replicas = ring.plan(key, bucket);
  const { token, partition } = replicas;
  const fence = coordination.fences.of(partition).raised;
  return {
    ok: true,
    plan: {
      bucket,
      placed: { bucket: key.bucket, key: key.key, token, partition, fence },
      replicas,
      quorum,
      mode,
      deadline: coordination.clock.monotonicMs() + timeoutMs,
      stamp: ring.stamp,
      nowMs: coordination.clock.wallMs(),
    },
  };
}

function refuse(
  coordination: Coordination,
  code: "bad-request" | "no-such-bucket",
  message: string,
): Failure {
  return failure(coordination, code, "refused", noAcks, message);
}

/** The key under the fence of now, for what is known to be no older than that. */
export function underFenceOfNow(
  { fences }: Pick<Coordination, "fences">,
  placed: FencedKey,
): FencedKey {
  return { ...placed, fence: fences.of(placed.partition).raised };
}

/** True if the plan has `member` among the key's primaries. */
export function isPrimaryOf({ replicas }: RequestPlan, member: Member): boolean {
  return replicas.primaries.includes(member);
}

/** True for whom a read of the plan asks for its own copy; false for a fallback. */
export function isReplica(plan: RequestPlan, member: Member): boolean {
  if (isPrimaryOf(plan, member)) return true;
  return plan.mode === "strict" && plan.replicas.next?.includes(member) === true;
}

/** In which of the plan's sets `member`, which is in one of them, has a vote. */
export function voterSetOf({ replicas }: RequestPlan, member: Member): VoterSet {
  const { primaries, next } = replicas;
  if (next === undefined || !next.includes(member)) return "present";
  return primaries.includes(member) ? "both" : "next";
}

/** Those who are to be primaries and are none yet, while the key's partition moves. */
export function newcomersOf({ replicas }: RequestPlan): readonly Member[] {
  const { primaries, next } = replicas;
  return next?.filter((member) => !primaries.includes(member)) ?? noMembers;
}

const noMembers: readonly Member[] = [];

/** False once the ring has other owners than the plan: then nobody votes on it any more. */
export function isCurrent(
  { ring }: Pick<Coordination, "ring">,
  plan: { readonly stamp: RingStamp },
): boolean {
  return ring().stamp.tag === plan.stamp.tag;
}

/** True if this node coordinates writes of the key. */
export function isPrimary({ self }: Pick<Coordination, "self">, plan: RequestPlan): boolean {
  return plan.replicas.primaries.some((member) => member.id === self);
}
