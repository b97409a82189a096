import type { MonotonicMs } from "@coterie/ports";

/**
 * How fast two monotonic clocks may drift apart: each is slewed by at most 500 ppm while its
 * machine's time is being corrected (adjtimex(2)).
 */
const driftMax = 0.001;

/**
 * Translates times of a stream's sender into this process's. Of all differences between arrival and
 * sending, the smallest has least of the journey in it, so it is the best guess of how the clocks
 * differ; what was delayed, in a socket's buffer or by a stopped process, does not pass for fresh.
 * The guess ages with the drift that is possible, or a clock that gains would make all look late.
 */
export class SenderClock {
  #offsetMs = Number.POSITIVE_INFINITY;
  #learntAtMs: MonotonicMs = 0;

  /** Takes note that what arrived now was sent at `sent`, on the sender's clock. */
  learn(sent: MonotonicMs, now: MonotonicMs): void {
    const aged = this.#offsetMs + (now - this.#learntAtMs) * driftMax;
    this.#offsetMs = Math.min(aged, now - sent);
    this.#learntAtMs = now;
  }

  /** The same instant on this process's clock. {@link learn} was called before. */
  toLocal(time: MonotonicMs): MonotonicMs {
    return time + this.#offsetMs;
  }
}
