import type { Clock, MonotonicMs } from "@coterie/ports";
import type { Coordination } from "../coordinator/coordination.ts";

/** From so many on, per second, somebody waits for what the node is asked. */
const perSecondMin = 100;
const windowMs = 100;
/** Above this part of the requests that may be in flight, clients come first. */
const busyShare = 64;

/** Whether clients' requests come before what nodes owe to each other. */
export function clientsComeFirst(
  { clock, counters, pressure }: Pick<Coordination, "clock" | "counters" | "pressure">,
  inFlightMax: number,
): () => boolean {
  const demand = new Demand(clock, () => counters.copiesAsked);
  return () => pressure.requests > inFlightMax / busyShare || demand.isHigh;
}

/**
 * Whether much is asked of a node now, by a count of all that was asked. One that is getting
 * partitions coordinates nothing yet: that clients wait for it, it sees by what others ask.
 */
export class Demand {
  readonly #clock: Clock;
  readonly #count: () => number;
  #sinceMs: MonotonicMs;
  #counted: number;
  #isHigh = false;

  constructor(clock: Clock, count: () => number) {
    this.#clock = clock;
    this.#count = count;
    this.#sinceMs = clock.monotonicMs();
    this.#counted = count();
  }

  /** As it was between two looks at least a tenth of a second apart. */
  get isHigh(): boolean {
    const elapsedMs = this.#clock.monotonicMs() - this.#sinceMs;
    if (elapsedMs < windowMs) return this.#isHigh;
    const count = this.#count();
    this.#isHigh = (count - this.#counted) * 1000 >= perSecondMin * elapsedMs;
    this.#counted = count;
    this.#sinceMs += elapsedMs;
    return this.#isHigh;
  }
}
