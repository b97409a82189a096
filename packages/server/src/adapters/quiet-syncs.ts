/** A disk is quick while its syncs take less, and slow from the first that takes as long. */
const quickMs = 0.5;
/** So many quick syncs in a row show a quick disk. */
const quickInARow = 16;
/** How long the event loop is watched before it is judged, and how little it may have to do. */
const watchedMs = 20;
const busyMax = 0.5;

/** Time that an event loop has waited and worked, in milliseconds, since it began. */
export interface LoopTimes {
  readonly idle: number;
  readonly active: number;
}

/**
 * Whether a sync may be made on the event loop itself: only while the disk has shown that it takes
 * a fraction of a millisecond, and the loop has little else to do. A thread that does it costs two
 * switches, which a client that waits alone pays for in full. One slow sync sends the next ones
 * to the threads again, where they hold up nobody.
 */
export class QuietSyncs {
  readonly #times: () => LoopTimes;
  #quick = 0;
  #since: LoopTimes;
  /** Milliseconds spent in syncs on the loop since then: they count as waiting. */
  #blockedMs = 0;
  #isQuiet = false;

  constructor(times: () => LoopTimes) {
    this.#times = times;
    this.#since = times();
  }

  /** True if the next sync may hold up the event loop. */
  mayBlock(): boolean {
    this.#watch();
    return this.#isQuiet && this.#quick >= quickInARow;
  }

  /** Takes note of a sync that took `ms`, on the loop or by a thread. */
  took(ms: number, wasOnLoop: boolean): void {
    this.#quick = ms < quickMs ? Math.min(this.#quick + 1, quickInARow) : 0;
    if (wasOnLoop) this.#blockedMs += ms;
  }

  #watch(): void {
    const now = this.#times();
    const active = now.active - this.#since.active;
    const total = now.idle - this.#since.idle + active;
    if (total < watchedMs) return;
    this.#isQuiet = active - this.#blockedMs < total * busyMax;
    this.#since = now;
    this.#blockedMs = 0;
  }
}
