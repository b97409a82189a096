import {
  type CausalRecord,
  type Key,
  type Member,
  contextOf,
  emptyRecord,
  encodeContext,
  equalBytes,
  mergeRecords,
  unexpiredSiblings,
} from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import type { StoredRecord } from "@coterie/storage";
import { countSiblings } from "../node-counters.ts";
import { oneShot } from "../one-shot.ts";
import type { FencedKey } from "../reaping/fenced-key.ts";
import { isOverWarning } from "../replica/replica.ts";
import type { Acks, GetOutcome, RequestOptions } from "../requests.ts";
import type { Coordination } from "./coordination.ts";
import { failure } from "./failure.ts";
import type { GatheredAnswer } from "./gather.ts";
import { gatherCopies } from "./gather-copies.ts";
import { allSiblings, shownSiblings } from "./presentation.ts";
import { type RequestPlan, isPrimaryOf, planRequest } from "./request-plan.ts";
import { type ReplicaCopy, storedOf, writeCopy } from "./replica-calls.ts";
import { silentAt } from "./stand-ins.ts";

/** What a quorum of replicas holds of a key: a read before it is dressed for a client. */
export type QuorumRead =
  | {
      readonly ok: true;
      /** `undefined` if no replica that answered has ever held the key. */
      readonly stored: StoredRecord | undefined;
      readonly acks: Acks;
    }
  | (GetOutcome & { readonly ok: false });

/** Coordinates one read (Dynamo, section 4.5): any node may. */
export async function get(
  coordination: Coordination,
  key: Key,
  options: RequestOptions,
): Promise<GetOutcome> {
  coordination.counters.gets += 1;
  const planned = planRequest(coordination, key, options);
  if (!planned.ok) return planned;
  const { pressure } = coordination;
  const bytes = expectedBytes(coordination, planned.plan);
  if (!pressure.hold(bytes)) {
    const acks = { primaries: 0, fallbacks: 0, required: planned.plan.quorum.r };
    const message = `${pressure.bytes} bytes of values are in flight`;
    return failure(coordination, "overloaded", "refused", acks, message);
  }
  const read = await readQuorum(coordination, planned.plan);
  pressure.give(bytes);
  if (!read.ok) return read;
  const record = read.stored?.record ?? emptyRecord;
  const { bucket, nowMs } = planned.plan;
  countRead(coordination, bucket.name, record, nowMs);
  const show = options.allSiblings === true ? allSiblings : shownSiblings;
  return {
    ok: true,
    siblings: show(bucket, record, nowMs),
    context:
      read.stored === undefined
        ? undefined
        : encodeContext(contextOf(record), key, coordination.contextSeal),
    acks: read.acks,
  };
}

/** What all copies asked for will take in memory, going by this node's own. */
function expectedBytes({ store }: Coordination, { placed, quorum }: RequestPlan): number {
  return store.bytesHeld(placed) * Math.max(quorum.r, quorum.pr);
}

/**
 * Reads from r primaries, merges what they hold, and where they differed waits until the merged
 * record is durable at n − r + 1 primaries: then every later read at r meets it, which makes
 * strict reads monotonic even after a write that reached fewer than w.
 */
export async function readQuorum(
  coordination: Coordination,
  plan: RequestPlan,
): Promise<QuorumRead> {
  const required = Math.max(plan.quorum.r, plan.quorum.pr);
  const gathered = await gatherCopies(coordination, plan);
  const acks = acksOf(plan, gathered.answers, required);
  if (!gathered.ok) {
    return failure(coordination, gathered.code, "refused", acks, readMessage(acks));
  }
  const fence = lowestFence(coordination, plan, gathered.answers);
  if (fence === undefined) {
    const message = "a replica answered that does not know yet what was deleted";
    return failure(coordination, "quorum-not-met", "refused", acks, message);
  }
  const { stored, holders } = reconcile(plan, gathered.answers);
  if (stored !== undefined && holders.length < acks.primaries) {
    const isRepaired = await repair(
      coordination,
      repairPlan(coordination, plan, fence),
      stored,
      holders,
    );
    if (!isRepaired && plan.mode === "strict") {
      const message = "what the replicas held differed, and could not be made equal in time";
      return failure(coordination, "quorum-not-met", "refused", acks, message);
    }
  }
  return { ok: true, stored, acks };
}

function acksOf(
  plan: RequestPlan,
  answers: readonly GatheredAnswer<ReplicaCopy>[],
  required: number,
): Acks {
  const primaries = answers.filter(({ member }) => isPrimaryOf(plan, member)).length;
  return { primaries, fallbacks: answers.length - primaries, required };
}

/** A sloppy read does not wait long for primaries to be made equal. */
function repairPlan({ clock }: Coordination, plan: RequestPlan, fence: number): RequestPlan {
  const placed = { ...plan.placed, fence };
  if (plan.mode === "strict") return { ...plan, placed };
  return { ...plan, placed, deadline: silentAt(clock.monotonicMs(), plan.deadline) };
}

/**
 * The lowest number under which any of the copies was read, as what is merged of them is no newer;
 * `undefined` if one was read before something that another replica has reaped since.
 */
function lowestFence(
  coordination: Coordination,
  { placed }: RequestPlan,
  answers: readonly GatheredAnswer<ReplicaCopy>[],
): number | undefined {
  let lowest = placed.fence;
  let reaped = coordination.fences.of(placed.partition).reaped;
  for (const { answer } of answers) {
    lowest = Math.min(lowest, answer.fence.raised);
    reaped = Math.max(reaped, answer.fence.reaped);
  }
  return answers.some(({ answer }) => answer.fence.raised < reaped) ? undefined : lowest;
}

/** Merges the copies, and says which primaries already hold the result. */
function reconcile(
  plan: RequestPlan,
  answers: readonly GatheredAnswer<ReplicaCopy>[],
): { readonly stored: StoredRecord | undefined; readonly holders: readonly Member[] } {
  const [first, ...rest] = answers.map(({ answer }) => answer.stored);
  const isUnanimous = rest.every((stored) =>
    first === undefined || stored === undefined
      ? first === stored
      : equalBytes(first.bytes, stored.bytes),
  );
  const primaries = answers.filter(({ member }) => isPrimaryOf(plan, member));
  if (isUnanimous) return { stored: first, holders: primaries.map(({ member }) => member) };

  let merged: CausalRecord = emptyRecord;
  for (const { answer } of answers) {
    if (answer.stored !== undefined) merged = mergeRecords(merged, answer.stored.record);
  }
  const stored = storedOf(plan.placed, merged);
  const holders = primaries
    .filter(({ answer }) => {
      return answer.stored !== undefined && equalBytes(answer.stored.bytes, stored.bytes);
    })
    .map(({ member }) => member);
  return { stored, holders };
}

/**
 * Read repair: merges the reconciled record into every primary not known to hold it. Resolves
 * true once n − r + 1 hold it durably, false when they cannot or time is up; what is under way
 * then goes on.
 */
function repair(
  coordination: Coordination,
  plan: RequestPlan,
  stored: StoredRecord,
  holders: readonly Member[],
): Promise<boolean> {
  const { promise, settle } = oneShot<boolean>();
  const { primaries } = plan.replicas;
  const needed = primaries.length - Math.max(plan.quorum.r, plan.quorum.pr) + 1;
  let durable = holders.length;
  let pending = primaries.length - durable;
  if (durable >= needed) settle(true);
  for (const member of primaries) {
    if (holders.includes(member)) continue;
    coordination.counters.readRepairs += 1;
    repairOne(
      coordination,
      { member, placed: plan.placed, stored, deadline: plan.deadline },
      (ok) => {
        pending -= 1;
        if (ok) durable += 1;
        if (durable >= needed) settle(true);
        else if (durable + pending < needed) settle(false);
      },
    );
  }
  return promise;
}

interface Repair {
  readonly member: Member;
  readonly placed: FencedKey;
  readonly stored: StoredRecord;
  readonly deadline: MonotonicMs;
}

function repairOne(coordination: Coordination, todo: Repair, settle: (ok: boolean) => void): void {
  const { member, placed, stored, deadline } = todo;
  writeCopy(coordination, member, placed, stored, deadline, ({ ok }) => settle(ok));
}

function countRead(
  { counters }: Coordination,
  bucket: string,
  record: CausalRecord,
  nowMs: number,
): void {
  const count = unexpiredSiblings(record.siblings, nowMs).length;
  countSiblings(counters, bucket, count);
  if (count > 1) counters.siblingsReturned += 1;
  if (count > counters.siblingsMax) counters.siblingsMax = count;
  if (isOverWarning(record)) counters.siblingWarnings += 1;
}

function readMessage(acks: Acks): string {
  return `${acks.primaries} of the ${acks.required} replicas required answered the read`;
}
