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
import type { Ending } from "../ending.ts";
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

/** A get, which asks for itself or has another one ask. */
export interface Passenger extends Ending<QuorumRead> {
  readonly plan: FlightPlan;
  /** Asks the replicas. */
  ask(ending: Ending<QuorumRead>): void;
}

/** A read that has not begun: the first of those who wait for it asks. */
interface Waiting {
  readonly passengers: [Passenger, ...Passenger[]];
  readonly cancel: Cancel;
}

/** The reads of one key that are under way. */
interface Lane {
  readonly id: number;
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
   * Ends with the answer of a quorum read that begins now or later, of this get or of another one.
   * It may be given up by so much before the deadline as the other get came earlier, 50 ms at most.
   */
  read(passenger: Passenger): void {
    const { plan } = passenger;
    const id = tokenId(plan.placed.token);
    const lane = this.#lanes.get(id);
    if (lane === undefined) {
      const first = { id, plan, begun: 0, waiting: undefined };
      this.#lanes.set(id, first);
      return this.#fly(first, [passenger]);
    }
    if (!isSameQuestion(lane.plan, plan)) return passenger.ask(passenger);
    const { waiting } = lane;
    if (waiting === undefined) {
      lane.waiting = this.#wait(lane, passenger);
      return;
    }
    const earlierMs = plan.deadline - waiting.passengers[0].plan.deadline;
    if (earlierMs < 0 || earlierMs > patienceMs) return passenger.ask(passenger);
    this.#counters.getsJoined += 1;
    waiting.passengers.push(passenger);
  }

  #wait(lane: Lane, first: Passenger): Waiting {
    const now = this.#clock.monotonicMs();
    const waitMs = Math.min(patienceMs, (first.plan.deadline - now) / 4);
    const cancel = this.#clock.at(now + waitMs, () => this.#takeOff(lane));
    return { passengers: [first], cancel };
  }

  #takeOff(lane: Lane): void {
    const { waiting } = lane;
    if (waiting === undefined) return;
    lane.waiting = undefined;
    waiting.cancel();
    this.#fly(lane, waiting.passengers);
  }

  #fly(lane: Lane, passengers: Waiting["passengers"]): void {
    lane.begun += 1;
    const number = lane.begun;
    passengers[0].ask(new Flight(passengers, () => this.#landed(lane, number)));
  }

  /** An earlier one that took long leaves everything to the one that did not wait for it. */
  #landed(lane: Lane, number: number): void {
    if (number !== lane.begun) return;
    if (lane.waiting === undefined) this.#lanes.delete(lane.id);
    else this.#takeOff(lane);
  }
}

/** A read for some gets. The next one of their key begins before they are told how it ended. */
class Flight implements Ending<QuorumRead> {
  readonly #passengers: readonly Passenger[];
  readonly #onLanded: () => void;

  constructor(passengers: readonly Passenger[], onLanded: () => void) {
    this.#passengers = passengers;
    this.#onLanded = onLanded;
  }

  settle(read: QuorumRead): void {
    this.#onLanded();
    for (const passenger of this.#passengers) passenger.settle(read);
  }

  fail(error: unknown): void {
    this.#onLanded();
    for (const passenger of this.#passengers) passenger.fail(error);
  }
}

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
