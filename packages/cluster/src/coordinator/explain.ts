import {
  type Key,
  type Member,
  type NodeId,
  contextOf,
  encodeContext,
  partitionOf,
  recordDigest,
  tokenOf,
} from "@coterie/core";
import type { StoredRecord } from "@coterie/storage";
import { oneShot } from "../one-shot.ts";
import type { ExplainedReplica, Explanation, ReplicaAnswer } from "../requests.ts";
import type { Coordination } from "./coordination.ts";
import type { CallPlan } from "./call-plan.ts";
import { readCopy } from "./replica-calls.ts";
import { isAtHand, readHeld } from "./stand-ins.ts";
import { tokenText } from "./token-text.ts";

/** How long `explain` waits for a replica, in milliseconds. */
const patienceMs = 1000;

/** Asks all replicas of `key` for their copies, now. `undefined`: there is no such bucket. */
export async function explain(
  coordination: Coordination,
  key: Key,
): Promise<Explanation | undefined> {
  const ring = coordination.ring();
  const bucket = ring.bucket(key.bucket);
  if (bucket === undefined) return undefined;
  const { n } = bucket;
  const { next, partition, token } = ring.plan(key, bucket);
  const fence = coordination.fences.of(partition).raised;
  const placed = { bucket: key.bucket, key: key.key, token, partition, fence };
  const { primaries, fallbacks } = ring.preferenceList(token, n);
  const newcomers = next?.filter((member) => !primaries.includes(member)) ?? [];
  const replicas = [
    ...primaries.map((member) => ({ member, role: "primary" as const })),
    ...newcomers.map((member) => ({ member, role: "next" as const })),
    ...standIns(coordination, primaries, fallbacks).map((each) => {
      return { ...each, role: "fallback" as const };
    }),
  ];
  const deadline = coordination.clock.monotonicMs() + patienceMs;
  const call = { placed, deadline, stamp: ring.stamp };
  const asked = replicas.map(({ member, role }) =>
    askReplica(coordination, member, call, reads[role]),
  );
  const explained: ExplainedReplica[] = [];
  for (const [at, { member, ...rest }] of replicas.entries()) {
    explained.push({ node: member.id, ...rest, answer: (await asked[at]) as ReplicaAnswer });
  }
  return {
    bucket: key.bucket,
    partition,
    epoch: ring.epoch,
    token: tokenText(token),
    n,
    replicas: explained,
  };
}

interface Fallback {
  readonly member: Member;
  readonly standsInFor?: NodeId;
}

/** The next fallbacks, until as many are at hand as there are primaries; and for whom, if any. */
function standIns(
  coordination: Coordination,
  primaries: readonly Member[],
  fallbacks: readonly Member[],
): readonly Fallback[] {
  const away = primaries.filter((member) => !isAtHand(coordination, member));
  const shown: Fallback[] = [];
  let atHand = 0;
  for (const member of fallbacks) {
    if (atHand === primaries.length) break;
    if (!isAtHand(coordination, member)) {
      shown.push({ member });
      continue;
    }
    const absent = away[atHand];
    atHand += 1;
    shown.push(absent === undefined ? { member } : { member, standsInFor: absent.id });
  }
  return shown;
}

/** This node's own copy, whether or not it owns the key's partition. */
export async function readOwnCopy(coordination: Coordination, key: Key): Promise<ReplicaAnswer> {
  const { settings } = coordination.ring();
  const token = tokenOf(key, settings);
  const partition = partitionOf(token, settings.partitions);
  const placed = { bucket: key.bucket, key: key.key, token, partition };
  const { promise, settle } = oneShot<ReplicaAnswer>();
  coordination.store.read(placed, (outcome) => {
    if (!outcome.ok || outcome.held.state === "unknown") settle({ state: "unknown" });
    else if (outcome.held.state === "absent") settle({ state: "absent" });
    else settle(answerOf(coordination, placed, outcome.held.stored));
  });
  return promise;
}

/** Replicas are asked for their own copies, fallbacks for what they hold for others. */
const reads: Readonly<Record<ExplainedReplica["role"], typeof readHeld>> = {
  primary: readCopy,
  next: readCopy,
  fallback: readHeld,
};

function askReplica(
  coordination: Coordination,
  member: Member,
  call: CallPlan,
  read: typeof readHeld,
): Promise<ReplicaAnswer> {
  const { promise, settle } = oneShot<ReplicaAnswer>();
  read(coordination, member, call, (copy) => {
    settle(
      copy === undefined
        ? { state: "unreachable", reason: "no answer, or its copy is damaged" }
        : answerOf(coordination, call.placed, copy.stored),
    );
  });
  return promise;
}

function answerOf(
  coordination: Coordination,
  key: Key,
  stored: StoredRecord | undefined,
): ReplicaAnswer {
  if (stored === undefined) return { state: "absent" };
  const digest = recordDigest(stored.bytes);
  return {
    state: "present",
    siblings: stored.record.siblings,
    clock: [...stored.record.clock.entries()].map((dot) => `${dot.actor}:${dot.counter}`),
    digest: tokenText(digest),
    context: encodeContext(contextOf(stored.record), key, coordination.contextSeal),
    bytes: stored.bytes.length,
  };
}
