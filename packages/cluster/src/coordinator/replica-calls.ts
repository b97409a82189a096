import {
  type Fence,
  type Key,
  type Member,
  type PeerLoad,
  decodeRecord,
  encodeRecord,
  equalBytes,
} from "@coterie/core";
import type { MonotonicMs, Reply } from "@coterie/ports";
import type { RecordVersion, StoredRecord } from "@coterie/storage";
import type { FindRequest, ListRequest, PeerResponse, SparedRecord } from "../messages.ts";
import type { FencedKey } from "../reaping/fenced-key.ts";
import type { MergeOutcome } from "../replica/replica.ts";
import type { CallPlan } from "./call-plan.ts";
import type { Coordination } from "./coordination.ts";
import type { SendRecord } from "./write-flights.ts";

// One replica asked, be it this node itself or another: the stories do not care which.

/** A replica's copy of a key; `undefined` where it holds none. */
export interface ReplicaCopy {
  readonly stored: StoredRecord | undefined;
  /** Under which fence it was read, and what the replica has reaped. */
  readonly fence: Fence;
}

/** A replica's copy that was not sent: only which one it is. */
export interface NamedCopy extends Pick<ReplicaCopy, "fence"> {
  readonly version: RecordVersion;
}

/** Reads `member`'s copy. `settle(undefined)`: it did not answer, or cannot know. */
export function readCopy(
  coordination: Coordination,
  member: Member,
  plan: CallPlan,
  settle: (copy: ReplicaCopy | undefined) => void,
  isHedge = false,
): void {
  if (member.id === coordination.self) return readOwn(coordination, plan.placed, settle);
  askCopy(coordination, member, plan, { spared: undefined, isHedge }, (copy) => {
    settle(copy !== undefined && "version" in copy ? undefined : copy);
  });
}

/**
 * Reads this node's own copy, and says which one it is where the index does; settles within the
 * call if it is durable and in memory.
 */
export function readOwn(
  { replica, store }: Coordination,
  placed: FencedKey,
  settle: (copy: ReplicaCopy | undefined, version?: RecordVersion) => void,
): void {
  const { partition } = placed;
  const { raised } = replica.fence(partition);
  store.read(placed, (outcome) => {
    if (!outcome.ok || outcome.held.state === "unknown") return settle(undefined);
    const { held, version } = outcome;
    const stored = held.state === "present" ? held.stored : undefined;
    settle({ stored, fence: replica.fenceSince(partition, raised) }, version);
  });
}

/** How another node is asked for its copy. */
export interface CopyQuestion {
  /** A record that need not be sent. */
  readonly spared: SparedRecord | undefined;
  readonly isHedge: boolean;
}

/** Asks another node for its copy. `settle(undefined)`: it did not answer, or cannot know. */
export function askCopy(
  { clock, network, routing }: Coordination,
  member: Member,
  { placed, deadline, stamp }: CallPlan,
  { spared, isHedge }: CopyQuestion,
  settle: (copy: ReplicaCopy | NamedCopy | undefined) => void,
): void {
  const { bucket, key } = placed;
  const load = routing.loadOf(member.address);
  const sinceMs = clock.monotonicMs();
  load.began(sinceMs);
  network.call(member.address, { kind: "read", stamp, bucket, key, spared }, deadline, (reply) => {
    learn(load, reply, sinceMs, clock.monotonicMs(), isHedge);
    if (!reply.ok) settle(undefined);
    else if (reply.response.kind !== "version") settle(copyOf(placed, reply.response));
    else settle({ version: reply.response, fence: reply.response.fence });
  });
}

/** Asks another node for tokens or records, and learns how quickly it answers. */
export function callToScan(
  { clock, network, routing }: Coordination,
  { address }: Member,
  request: ListRequest | FindRequest,
  deadline: MonotonicMs,
  settle: (response: PeerResponse | undefined) => void,
  isHedge: boolean,
): void {
  const load = routing.loadOf(address);
  const sinceMs = clock.monotonicMs();
  load.began(sinceMs);
  network.call(address, request, deadline, (reply) => {
    learn(load, reply, sinceMs, clock.monotonicMs(), isHedge);
    settle(reply.ok ? reply.response : undefined);
  });
}

function learn(
  load: PeerLoad,
  reply: Reply<PeerResponse>,
  sinceMs: MonotonicMs,
  nowMs: MonotonicMs,
  isHedge: boolean,
): void {
  if (reply.ok) load.answered(sinceMs, nowMs, isHedge);
  else if (reply.reason === "timeout") load.timedOut(sinceMs, nowMs, isHedge);
  else load.refused();
}

/** The copy in a replica's answer; `undefined`: it is none. */
export function copyOf(key: Key, response: PeerResponse): ReplicaCopy | undefined {
  if (response.kind === "absent") return { stored: undefined, fence: response.fence };
  if (response.kind !== "present") return undefined;
  const { fence } = response;
  const decoded = decodeRecord(response.record);
  if (!decoded.ok || decoded.bucket !== key.bucket || !equalBytes(decoded.key, key.key)) {
    return undefined;
  }
  return { stored: { record: decoded.record, bytes: response.record }, fence };
}

/** Merges `stored` into `member`'s copy; settles when it is durable there, or why it is not. */
export function mergeCopy(
  coordination: Pick<Coordination, "self" | "fences" | "replica" | "network">,
  member: Member,
  { placed, deadline, stamp }: CallPlan,
  stored: StoredRecord,
  settle: (outcome: MergeOutcome) => void,
): void {
  if (member.id === coordination.self) {
    coordination.replica.merge(placed, stored, settle);
    return;
  }
  const { fence } = placed;
  coordination.network.call(
    member.address,
    { kind: "merge", stamp, fence, record: stored.bytes },
    deadline,
    (reply) => {
      const outcome = mergedOf(reply);
      if (!outcome.ok && outcome.code === "behind-fence") coordination.fences.noteRefused();
      settle(outcome);
    },
  );
}

/** What a reply to a record that was sent says of it. */
export function mergedOf(reply: Reply<PeerResponse>): MergeOutcome {
  if (!reply.ok) return { ok: false, code: reply.reason === "timeout" ? "timeout" : "expired" };
  const { response } = reply;
  if (response.kind === "merged") return { ok: true, changed: response.changed };
  return { ok: false, code: response.kind === "refused" ? response.code : "malformed" };
}

/** As {@link mergeCopy}, for a client: what the member does not acknowledge is owed to it. */
export function writeCopy(
  coordination: Coordination,
  member: Member,
  plan: CallPlan,
  stored: StoredRecord,
  settle: (outcome: MergeOutcome) => void,
): void {
  const { missed, self, writeFlights } = coordination;
  missed.noteSent(member.id);
  const settled = (outcome: MergeOutcome): void => {
    noteOutcome(coordination, member, plan.placed, outcome);
    missed.noteSettled(member.id);
    settle(outcome);
  };
  const send: SendRecord = (each, record, end) => {
    mergeCopy(coordination, member, each, record, end);
  };
  if (member.id === self) send(plan, stored, settled);
  else writeFlights.send(member.id, plan, stored, send, settled);
}

/** What a member did not acknowledge is owed to it; what it did says that it is there. */
function noteOutcome(
  coordination: Coordination,
  member: Member,
  placed: FencedKey,
  outcome: MergeOutcome,
): void {
  const { handoff, missed, self } = coordination;
  if (outcome.ok) handoff.noteAnswer(member.id);
  // Who holds no copy has nothing to pay with: those who do have noted it themselves.
  else if (member.id !== self && coordination.ring().isOwner(self, placed.partition)) {
    missed.note(member.id, placed, outcome.code);
  }
}

/** Encodes a record that was made here. */
export function storedOf(key: Key, record: StoredRecord["record"]): StoredRecord {
  return { record, bytes: encodeRecord(key, record) };
}

/** How many of `members` look reachable, this node included. */
export function countReachable(coordination: Coordination, members: readonly Member[]): number {
  let count = 0;
  for (const member of members) {
    if (member.id === coordination.self || coordination.network.isReachable(member.address)) {
      count += 1;
    }
  }
  return count;
}
