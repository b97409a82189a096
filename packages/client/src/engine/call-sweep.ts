import type { Call } from "./call.ts";
import type { Cancel, Clock } from "./clock.ts";
import { sweepMsMin } from "./engine-options.ts";

/**
 * Every call that is not over, and one timer for all of them: nearly each is answered before
 * anything of its own is due, so that beginning and ending one costs a few writes. While there are
 * calls, the process is kept alive.
 */
export class CallSweep {
  readonly #clock: Clock;
  readonly #wake: (call: Call, nowMs: number) => void;
  readonly #calls: Call[] = [];
  #sweepAtMs = Number.POSITIVE_INFINITY;
  #cancel: Cancel = () => {};

  constructor(clock: Clock, wake: (call: Call, nowMs: number) => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  get size(): number {
    return this.#calls.length;
  }

  calls(): readonly Call[] {
    return [...this.#calls];
  }

  add(call: Call): void {
    if (this.#calls.length === 0) this.#clock.hold();
    call.place = this.#calls.push(call) - 1;
  }

  /** What is last takes the place of the one that leaves. */
  remove(call: Call): void {
    const last = this.#calls.pop() as Call;
    if (last !== call) {
      this.#calls[call.place] = last;
      last.place = call.place;
    }
    call.place = -1;
    if (this.#calls.length === 0) this.#clock.release();
  }

  /** Wakes the call when the first of what it waits for is due. */
  plan(call: Call): void {
    call.wakeMs = Math.min(call.deadlineMs, call.hedgeMs, call.retryMs, call.patienceMs);
    if (call.wakeMs < this.#sweepAtMs - sweepMsMin) this.#sweepBy(call.wakeMs);
  }

  #sweepBy(atMs: number): void {
    this.#cancel();
    this.#sweepAtMs = atMs;
    this.#cancel = this.#clock.at(atMs, () => this.#sweep());
  }

  #sweep(): void {
    this.#sweepAtMs = Number.POSITIVE_INFINITY;
    const now = this.#clock.monotonicMs();
    // Backwards: a call that ends is replaced by one that was looked at already.
    for (let at = this.#calls.length - 1; at >= 0; at -= 1) {
      const call = this.#calls[at];
      if (call !== undefined && call.wakeMs <= now) this.#wake(call, now);
    }
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { wakeMs } of this.#calls) nextMs = Math.min(nextMs, wakeMs);
    if (nextMs < this.#sweepAtMs) this.#sweepBy(Math.max(nextMs, now + sweepMsMin));
  }
}
