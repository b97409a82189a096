import { limits } from "../limits.ts";

/**
 * A hybrid logical timestamp (Kulkarni et al., "Logical Physical Clocks", 2014): wall-clock
 * milliseconds, and a counter that orders what happened within one millisecond or while the wall
 * clock stood still.
 */
export interface HybridTime {
  readonly wallMs: number;
  /** 0 to 65 535. */
  readonly logical: number;
}

export const hybridTimeZero: HybridTime = { wallMs: 0, logical: 0 };

/** Negative, zero or positive. */
export function compareHybridTime(left: HybridTime, right: HybridTime): number {
  return left.wallMs - right.wallMs || left.logical - right.logical;
}

/** A node's hybrid clock: what it issues is later than all it issued and all it has accepted. */
export class HybridClock {
  #last: HybridTime = hybridTimeZero;

  /** The next timestamp, given the wall clock's reading, which may stand still or jump back. */
  next(wallMs: number): HybridTime {
    if (wallMs > this.#last.wallMs) this.#last = { wallMs, logical: 0 };
    else if (this.#last.logical < 0xffff) {
      this.#last = { wallMs: this.#last.wallMs, logical: this.#last.logical + 1 };
    } else this.#last = { wallMs: this.#last.wallMs + 1, logical: 0 };
    return this.#last;
  }

  /**
   * Takes note of a timestamp from elsewhere. Returns false, and takes no note, when it is more
   * than `limits.clockSkewMsMax` ahead of the wall clock: one node with a clock in the future
   * would otherwise win every conflict and drag all clocks with it.
   */
  observe(remote: HybridTime, wallMs: number): boolean {
    if (remote.wallMs > wallMs + limits.clockSkewMsMax) return false;
    if (compareHybridTime(remote, this.#last) > 0) this.#last = remote;
    return true;
  }
}
