import {
  type Key,
  type Member,
  contextOf,
  encodeContext,
  partitionOf,
  recordDigest,
  tokenOf,
} from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import type { PlacedKey } from "@coterie/storage";
import { oneShot } from "../one-shot.ts";
import type { Explanation, ReplicaAnswer } from "../requests.ts";
import type { Coordination } from "./coordination.ts";
import { type ReplicaCopy, readCopy } from "./replica-calls.ts";
import { tokenText } from "./token-text.ts";

/** How long `explain` waits for a replica, in milliseconds. */
const patienceMs = 1000;

/** Asks every primary of `key` for its own copy, now. `undefined`: there is no such bucket. */
export async function explain(
  coordination: Coordination,
  key: Key,
): Promise<Explanation | undefined> {
  const ring = coordination.ring();
  const bucket = ring.bucket(key.bucket);
  if (bucket === undefined) return undefined;
  const { partition, token, primaries } = ring.plan(key, bucket);
  const placed = { bucket: key.bucket, key: key.key, token, partition };
  const deadline = coordination.clock.monotonicMs() + patienceMs;
  const asked = primaries.map((member) => askReplica(coordination, member, placed, deadline));
  const replicas: Explanation["replicas"][number][] = [];
  for (const [at, member] of primaries.entries()) {
    replicas.push({ node: member.id, role: "primary", answer: (await asked[at]) as ReplicaAnswer });
  }
  return {
    bucket: key.bucket,
    partition,
    epoch: ring.epoch,
    token: tokenText(token),
    n: bucket.n,
    replicas,
  };
}

/** This node's own copy, whether or not it owns the key's partition. */
export async function readOwnCopy(coordination: Coordination, key: Key): Promise<ReplicaAnswer> {
  const { settings } = coordination.ring().document;
  const token = tokenOf(key, settings);
  const partition = partitionOf(token, settings.partitions);
  const placed = { bucket: key.bucket, key: key.key, token, partition };
  const { promise, settle } = oneShot<ReplicaAnswer>();
  coordination.store.read(placed, (outcome) => {
    if (!outcome.ok || outcome.held.state === "unknown") settle({ state: "unknown" });
    else if (outcome.held.state === "absent") settle({ state: "absent" });
    else settle(answerOf(coordination, placed, { stored: outcome.held.stored }));
  });
  return promise;
}

function askReplica(
  coordination: Coordination,
  member: Member,
  placed: PlacedKey,
  deadline: MonotonicMs,
): Promise<ReplicaAnswer> {
  const { promise, settle } = oneShot<ReplicaAnswer>();
  readCopy(coordination, member, placed, deadline, (copy) => {
    settle(
      copy === undefined
        ? { state: "unreachable", reason: "no answer, or its copy is damaged" }
        : answerOf(coordination, placed, copy),
    );
  });
  return promise;
}

function answerOf(coordination: Coordination, key: Key, { stored }: ReplicaCopy): ReplicaAnswer {
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
