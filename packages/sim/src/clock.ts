import type { Cancel, Clock, MonotonicMs, WallMs } from "@coterie/ports";
import type { World } from "./world.ts";

/** The wall time at virtual time zero: some day in 2027. */
const wallMsAtStart = 1_800_000_000_000;

export interface SimClockOptions {
  /** What the monotonic clock shows at virtual time zero: it differs between processes. */
  readonly monotonicOffsetMs?: number;
  /** How far the wall clock is off. */
  readonly wallOffsetMs?: number;
}

/** One process's clock, over the world's virtual time. */
export class SimClock implements Clock {
  readonly #world: World;
  readonly #monotonicOffsetMs: number;
  #wallOffsetMs: number;
  #isCrashed = false;
  #waiting: (() => void)[] = [];

  constructor(world: World, options: SimClockOptions = {}) {
    this.#world = world;
    this.#monotonicOffsetMs = options.monotonicOffsetMs ?? 0;
    this.#wallOffsetMs = options.wallOffsetMs ?? 0;
  }

  monotonicMs(): MonotonicMs {
    return this.#world.nowMs + this.#monotonicOffsetMs;
  }

  wallMs(): WallMs {
    return Math.floor(wallMsAtStart + this.#world.nowMs + this.#wallOffsetMs);
  }

  at(deadline: MonotonicMs, fire: () => void): Cancel {
    return this.#world.scheduleAt(this.#roundedUp(deadline), () => {
      if (!this.#isCrashed) fire();
    });
  }

  afterTurn(fire: () => void): void {
    if (this.#waiting.push(fire) > 1) return;
    this.#world.afterTurn(() => {
      const ready = this.#waiting;
      this.#waiting = [];
      for (const each of ready) {
        if (this.#isCrashed) return;
        each();
      }
    });
  }

  /** Moves the wall clock by `ms`, forwards or backwards; the monotonic clock does not notice. */
  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** The process is gone: nothing fires any more. */
  crash(): void {
    this.#isCrashed = true;
  }

  /** The first virtual time at which this clock shows the deadline, in spite of rounding. */
  #roundedUp(deadline: MonotonicMs): number {
    let timeMs = deadline - this.#monotonicOffsetMs;
    while (timeMs + this.#monotonicOffsetMs < deadline) timeMs += 1 / 1024;
    return timeMs;
  }
}
