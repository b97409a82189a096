import type { Cancel, Clock, MonotonicMs, WallMs } from "@coterie/ports";
import type { ProcessGate } from "./gate.ts";
import type { World } from "./world.ts";

/** The wall time at virtual time zero: some day in 2027. */
const wallMsAtStart = 1_800_000_000_000;

export interface SimClockOptions {
  /** What the monotonic clock shows at virtual time zero: it differs between processes. */
  readonly monotonicOffsetMs?: number;
  /** How far the wall clock is off. */
  readonly wallOffsetMs?: number;
  /** Microseconds that the clock gains, or loses, in a second. */
  readonly driftPerMillion?: number;
  /** Whether the process runs. */
  readonly gate?: ProcessGate;
}

/** One process's clock, over the world's virtual time. */
export class SimClock implements Clock {
  readonly #world: World;
  readonly #monotonicOffsetMs: number;
  readonly #rate: number;
  readonly #gate: ProcessGate | undefined;
  #wallOffsetMs: number;
  #isCrashed = false;
  #waiting: (() => void)[] = [];

  constructor(world: World, options: SimClockOptions = {}) {
    this.#world = world;
    this.#monotonicOffsetMs = options.monotonicOffsetMs ?? 0;
    this.#wallOffsetMs = options.wallOffsetMs ?? 0;
    this.#rate = 1 + (options.driftPerMillion ?? 0) / 1e6;
    this.#gate = options.gate;
  }

  /** How far the wall clock is off by its jumps; drift is not counted. */
  get wallOffsetMs(): number {
    return this.#wallOffsetMs;
  }

  monotonicMs(): MonotonicMs {
    return this.#world.nowMs * this.#rate + this.#monotonicOffsetMs;
  }

  wallMs(): WallMs {
    return Math.floor(wallMsAtStart + this.#world.nowMs * this.#rate + this.#wallOffsetMs);
  }

  at(deadline: MonotonicMs, fire: () => void): Cancel {
    let isCancelled = false;
    const cancel = this.#world.scheduleAt(this.#roundedUp(deadline), () => {
      this.#reach(() => {
        // A process that was paused may have taken it back after it was due.
        if (!isCancelled) fire();
      });
    });
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  afterTurn(fire: () => void): void {
    if (this.#waiting.push(fire) > 1) return;
    this.#world.afterTurn(() => {
      this.#reach(() => {
        const ready = this.#waiting;
        this.#waiting = [];
        for (const each of ready) {
          if (this.#isCrashed) return;
          each();
        }
      });
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

  #reach(fire: () => void): void {
    if (this.#isCrashed) return;
    if (this.#gate === undefined) fire();
    else this.#gate.run(fire);
  }

  /** The first virtual time at which this clock shows the deadline, in spite of rounding. */
  #roundedUp(deadline: MonotonicMs): number {
    let timeMs = (deadline - this.#monotonicOffsetMs) / this.#rate;
    while (timeMs * this.#rate + this.#monotonicOffsetMs < deadline) timeMs += 1 / 1024;
    return timeMs;
  }
}
