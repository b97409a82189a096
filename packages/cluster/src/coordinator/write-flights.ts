import {
  type CausalRecord,
  type NodeId,
  type WriteId,
  deadWritesGone,
  equalBytes,
  holdsWhatIsGone,
  tokenId,
} from "@coterie/core";
import type { Cancel, Clock } from "@coterie/ports";
import type { StoredRecord } from "@coterie/storage";
import type { NodeCounters } from "../node-counters.ts";
import type { FencedKey } from "../reaping/fenced-key.ts";
import type { MergeOutcome } from "../replica/replica.ts";
import type { CallPlan } from "./call-plan.ts";
import type { CoordinationTuning } from "./coordination-tuning.ts";

/** Has one node merge a record, and says whether it is durable there. */
export type SendRecord = (
  plan: CallPlan,
  stored: StoredRecord,
  settle: (outcome: MergeOutcome) => void,
) => void;

type Settle = (outcome: MergeOutcome) => void;

/** A record that has not been sent, and the writes that it is of. */
interface Waiting {
  plan: CallPlan;
  stored: StoredRecord;
  readonly send: SendRecord;
  readonly settles: Settle[];
  readonly cancel: Cancel;
}

/** The records of one key that are on their way to one node. */
interface Lane {
  readonly placed: FencedKey;
  underWay: number;
  /** The one that was sent last. */
  last: CausalRecord;
  waiting: Waiting | undefined;
}

export interface WriteFlightsParts {
  readonly clock: Clock;
  readonly counters: Pick<NodeCounters, "writesJoined">;
  readonly tuning: Pick<CoordinationTuning, "recordsUnderWayMax">;
}

/**
 * So many writers of a key need not wait for each other; where more are at it, most records would
 * be replaced by the time they arrive. With fewer, eight writers waited longer than they won by it.
 */
const underWayMaxDefault = 8;

/**
 * How long a record waits behind those before it, and at most a quarter of its time: longer than
 * healthy nodes take to store one.
 */
const patienceMs = 30;

/**
 * Writes of one key share the records that are sent to other nodes. Most are made of the one before
 * and say all that that one says: a replica that has stored the last has stored them all. A record
 * that a read repairs copies with need not be: it may hold what a delete has taken away since.
 * Eight are under way to each node at most; of those that are made meanwhile the last one is sent,
 * for all of them, when one of the eight has been answered, or has taken unusually long. A write of
 * a key that few others write is sent at once.
 *
 *     ──records──▶ eight under way ──records──▶ and one waiting, replaced by its successors
 *     ──an answer, or 30 ms──▶ the next
 */
export class WriteFlights {
  readonly #clock: Clock;
  readonly #counters: Pick<NodeCounters, "writesJoined">;
  readonly #underWayMax: number;
  readonly #lanes = new Map<NodeId, Map<number, Lane>>();

  constructor({ clock, counters, tuning }: WriteFlightsParts) {
    this.#clock = clock;
    this.#counters = counters;
    this.#underWayMax = tuning.recordsUnderWayMax ?? underWayMaxDefault;
  }

  /** Keys of which records are on their way, counted once for each node that gets them. */
  get lanes(): number {
    let lanes = 0;
    for (const ofMember of this.#lanes.values()) lanes += ofMember.size;
    return lanes;
  }

  /** Sends a record to a node, now or later, by `send` or with another one of its key. */
  send(to: NodeId, plan: CallPlan, stored: StoredRecord, send: SendRecord, settle: Settle): void {
    const lanes = this.#lanesTo(to);
    const id = tokenId(plan.placed.token);
    const lane = lanes.get(id);
    if (lane === undefined) {
      const first = { placed: plan.placed, underWay: 0, last: stored.record, waiting: undefined };
      lanes.set(id, first);
      return this.#fly(lanes, id, first, plan, stored, send, settle);
    }
    if (!isSameKey(lane.placed, plan.placed)) return send(plan, stored, settle);
    const { waiting } = lane;
    if (waiting === undefined && lane.underWay < this.#underWayMax) {
      return this.#fly(lanes, id, lane, plan, stored, send, settle);
    }
    if (waiting !== undefined) {
      if (speaksFor(plan, stored, waiting, lane.last)) {
        waiting.plan = plan;
        waiting.stored = stored;
        waiting.settles.push(settle);
        this.#counters.writesJoined += 1;
        return;
      }
      this.#takeOff(lanes, id, lane);
    }
    const now = this.#clock.monotonicMs();
    const wait = Math.min(patienceMs, Math.max(0, plan.deadline - now) / 4);
    const cancel = this.#clock.at(now + wait, () => this.#takeOff(lanes, id, lane));
    lane.waiting = { plan, stored, send, settles: [settle], cancel };
  }

  #lanesTo(to: NodeId): Map<number, Lane> {
    let lanes = this.#lanes.get(to);
    if (lanes === undefined) {
      lanes = new Map();
      this.#lanes.set(to, lanes);
    }
    return lanes;
  }

  #takeOff(lanes: Map<number, Lane>, id: number, lane: Lane): void {
    const { waiting } = lane;
    if (waiting === undefined) return;
    lane.waiting = undefined;
    const { plan, stored, send, settles, cancel } = waiting;
    cancel();
    this.#fly(lanes, id, lane, plan, stored, send, (outcome) => {
      for (const settle of settles) settle(outcome);
    });
  }

  #fly(
    lanes: Map<number, Lane>,
    id: number,
    lane: Lane,
    plan: CallPlan,
    stored: StoredRecord,
    send: SendRecord,
    settle: Settle,
  ): void {
    lane.underWay += 1;
    lane.last = stored.record;
    send(plan, stored, (outcome) => {
      lane.underWay -= 1;
      if (lane.waiting !== undefined) this.#takeOff(lanes, id, lane);
      else if (lane.underWay === 0) lanes.delete(id);
      settle(outcome);
    });
  }
}

/**
 * True if whoever stores `stored` need not be sent what waits: it has seen all of that, and no id
 * of an overwritten write goes unheard of that only the one in between would have told.
 */
function speaksFor(
  plan: CallPlan,
  { record }: StoredRecord,
  waiting: Waiting,
  last: CausalRecord,
): boolean {
  const isUnderOneRing =
    plan.stamp.tag === waiting.plan.stamp.tag && plan.stamp.epoch === waiting.plan.stamp.epoch;
  if (!isUnderOneRing || plan.deadline < waiting.plan.deadline) return false;
  const earlier = waiting.stored.record;
  // A delete may have room on a disk where a value has none.
  if (earlier.siblings.length === 0 && record.siblings.length > 0) return false;
  // A delete adds nothing to the clock: that alone does not tell.
  if (!record.clock.descends(earlier.clock) || holdsWhatIsGone(record, earlier)) return false;
  return deadWritesGone(earlier, record).every(({ writeId }) => isToldBy(last, writeId));
}

function isToldBy({ siblings, deadWrites }: CausalRecord, writeId: WriteId): boolean {
  if (deadWrites.isRemembered(writeId)) return true;
  return siblings.some((sibling) => sibling.writeId === writeId);
}

function isSameKey(left: FencedKey, right: FencedKey): boolean {
  return left.bucket === right.bucket && equalBytes(left.key, right.key);
}
