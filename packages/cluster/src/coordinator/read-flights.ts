import {
  type Key,
  type Quorum,
  type RequestMode,
  type RingStamp,
  type Token,
  equalBytes,
  tokenId,
} from "@coterie/core";
import type { Cancel, Clock, MonotonicMs } from "@coterie/ports";
import type { NodeCounters } from "../node-counters.ts";
import type { QuorumRead } from "./quorum-read.ts";

/** What of a request's plan says whether another get may have the same answer. */
export interface FlightPlan {
  readonly placed: Key & { readonly token: Token };
  readonly quorum: Pick<Quorum, "r" | "pr">;
  readonly mode: RequestMode;
  readonly stamp: RingStamp;
  readonly deadline: MonotonicMs;
}

/** Asks the replicas, when called; calls `onEnd` when all is known, before its promise settles. */
export type BeginRead = (onEnd: () => void) => Promise<QuorumRead>;

/** A read that has not begun, and those who wait for it. */
interface Waiting {
  readonly plan: FlightPlan;
  readonly begin: BeginRead;
  readonly landed: Promise<QuorumRead>;
  readonly settle: (read: Promise<QuorumRead>) => void;
  readonly cancel: Cancel;
}

/** The reads of one key that are under way. */
interface Lane {
  readonly plan: FlightPlan;
  /** The latest of them is over when this many have begun and it is the last. */
  begun: number;
  waiting: Waiting | undefined;
}

/**
 * How long a read waits behind the one before it, and at most a quarter of its time: far longer
 * than a read between healthy nodes takes.
 */
const patienceMs = 50;

/**
 * Gets of one key share quorum reads. A get joins only a read that has not begun: one whose
 * replicas were asked before the get arrived may lack a write that was acknowledged in between, and
 * the get must see it. So one read is under way, all gets that arrive meanwhile wait for the next,
 * and that one begins when the first has ended, or has taken unusually long. A get of a key that
 * nobody else asks for begins at once.
 *
 *     nobody ──get──▶ one under way ──gets──▶ and one waiting ──the end, or 50 ms──▶ the next
 *     each asks the replicas after all gets have arrived that it answers
 */
export class ReadFlights {
  readonly #clock: Clock;
  readonly #counters: Pick<NodeCounters, "getsJoined">;
  readonly #lanes = new Map<number, Lane>();

  constructor({ clock, counters }: { clock: Clock; counters: Pick<NodeCounters, "getsJoined"> }) {
    this.#clock = clock;
    this.#counters = counters;
  }

  /** Keys that are being read. */
  get lanes(): number {
    return this.#lanes.size;
  }

  /**
   * The answer of a quorum read that begins now or later, by `begin` or by that of another get. It
   * may be given up by so much before the deadline as the other get came earlier, 50 ms at most.
   */
  read(plan: FlightPlan, begin: BeginRead): Promise<QuorumRead> {
    const id = tokenId(plan.placed.token);
    const lane = this.#lanes.get(id);
    if (lane === undefined) {
      const first = { plan, begun: 0, waiting: undefined };
      this.#lanes.set(id, first);
      return this.#fly(id, first, begin);
    }
    if (!isSameQuestion(lane.plan, plan)) return begin(nobodyWaits);
    lane.waiting ??= this.#wait(id, lane, plan, begin);
    if (lane.waiting.plan === plan) return lane.waiting.landed;
    const earlierMs = plan.deadline - lane.waiting.plan.deadline;
    if (earlierMs < 0 || earlierMs > patienceMs) return begin(nobodyWaits);
    this.#counters.getsJoined += 1;
    return lane.waiting.landed;
  }

  #wait(id: number, lane: Lane, plan: FlightPlan, begin: BeginRead): Waiting {
    let settle: Waiting["settle"] = nobodyWaits;
    const landed = new Promise<QuorumRead>((resolve) => {
      settle = resolve;
    });
    const now = this.#clock.monotonicMs();
    const wait = Math.min(patienceMs, (plan.deadline - now) / 4);
    const cancel = this.#clock.at(now + wait, () => this.#takeOff(id, lane));
    return { plan, begin, landed, settle, cancel };
  }

  #takeOff(id: number, lane: Lane): void {
    const { waiting } = lane;
    if (waiting === undefined) return;
    lane.waiting = undefined;
    waiting.cancel();
    waiting.settle(this.#fly(id, lane, waiting.begin));
  }

  #fly(id: number, lane: Lane, begin: BeginRead): Promise<QuorumRead> {
    lane.begun += 1;
    const number = lane.begun;
    return begin(() => {
      // An earlier one that took long leaves everything to the one that did not wait for it.
      if (number !== lane.begun) return;
      if (lane.waiting === undefined) this.#lanes.delete(id);
      else this.#takeOff(id, lane);
    });
  }
}

const nobodyWaits = (): void => {};

function isSameQuestion(left: FlightPlan, right: FlightPlan): boolean {
  return (
    left.mode === right.mode &&
    left.quorum.r === right.quorum.r &&
    left.quorum.pr === right.quorum.pr &&
    left.stamp.tag === right.stamp.tag &&
    left.stamp.epoch === right.stamp.epoch &&
    left.placed.bucket === right.placed.bucket &&
    equalBytes(left.placed.key, right.placed.key)
  );
}
