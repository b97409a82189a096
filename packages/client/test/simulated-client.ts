import type { WriteId } from "@coterie/core";
import {
  FakeCluster,
  FakeCoterie,
  type FakeCoterieOptions,
  type Random,
} from "../src/testing/index.ts";
import { SimulatedClock } from "./simulated-clock.ts";

/** The middle of everything, and write ids that count up. */
class SteadyRandom implements Random {
  #ids = 0;

  fraction(): number {
    return 0.5;
  }

  writeId(): WriteId {
    this.#ids += 1;
    return this.#ids.toString(16).padStart(32, "0") as WriteId;
  }
}

export interface Simulation {
  readonly clock: SimulatedClock;
  readonly cluster: FakeCluster;
  readonly coterie: FakeCoterie;
  /** Another client of the same cluster. */
  readonly another: (options?: FakeCoterieOptions) => FakeCoterie;
}

/** A client and a cluster in simulated time. */
export function simulate(
  options: FakeCoterieOptions & { readonly clusterNodes?: number } = {},
): Simulation {
  const { clusterNodes = 3 } = options;
  const clock = new SimulatedClock();
  const cluster = new FakeCluster({ clock, nodes: clusterNodes, buckets: ["default", "carts"] });
  const random = new SteadyRandom();
  const another = (more: FakeCoterieOptions = {}): FakeCoterie =>
    new FakeCoterie({ cluster, clock, random: random, ...more });
  return { clock, cluster, coterie: another(options), another };
}

/** What became of a promise, and when. */
export interface Outcome<Value> {
  value?: Value;
  error?: unknown;
  atMs?: number;
  isSettled: boolean;
}

/** Follows a promise without waiting for it. */
export function follow<Value>(clock: SimulatedClock, promise: Promise<Value>): Outcome<Value> {
  const outcome: Outcome<Value> = { isSettled: false };
  promise.then(
    (value) => Object.assign(outcome, { value, isSettled: true, atMs: clock.monotonicMs() }),
    (error: unknown) =>
      Object.assign(outcome, { error, isSettled: true, atMs: clock.monotonicMs() }),
  );
  return outcome;
}

/**
 * Begins operations a millisecond after each other: those of one turn would join a message to one
 * node, and these go to all of them.
 */
export async function inTurns<Value>(
  clock: SimulatedClock,
  count: number,
  begin: (at: number) => Promise<Value>,
): Promise<readonly Begun<Value>[]> {
  const begun: Begun<Value>[] = [];
  for (let at = 0; at < count; at += 1) {
    begun.push({ beganMs: clock.monotonicMs(), outcome: follow(clock, begin(at)) });
    await clock.advance(1);
  }
  return begun;
}

/** What was begun, and when. */
export interface Begun<Value> {
  readonly beganMs: number;
  readonly outcome: Outcome<Value>;
}
