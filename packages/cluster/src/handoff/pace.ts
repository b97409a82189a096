import type { Pressure } from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";

/** How much may go out at once after a rest, as time at the full rate, in milliseconds. */
const burstMs = 20;
/** While clients are many, what is owed goes out at this fraction of its rate. */
const yieldingShare = 4;
/**
 * Time that a record counts for while clients are many, in milliseconds, and one that is only
 * compared. Of small records few bytes are much work, at both nodes: to be read, merged and synced.
 */
const recordMs = 0.125;
const entryMs = recordMs / 4;
/** While clients are many, what could go in one message goes in so many, in turns of its own. */
const yieldingParts = 8;

/** Bytes of records that go together, at most; less at a low rate, which is not to be outrun. */
const batchBytesMax = 256 * 1024;
const batchBytesMin = 16 * 1024;

/** What goes out or comes in, or is asked for. */
export interface Spent {
  readonly bytes: number;
  /** Whole ones, and such as are only compared. */
  readonly records?: number;
  readonly entries?: number;
  /** Part of what relieves a cluster once it is done: it counts no longer where it is busy. */
  readonly isUrgent?: boolean;
}

export interface PaceParts {
  readonly bytesPerSecond: number;
  /** True while clients' requests come first. */
  readonly isBusy: () => boolean;
  readonly pressure: Pick<Pressure, "restMs">;
}

/**
 * The rate at which a node pays its debts, all targets together: so many bytes a second. While
 * clients are many it is a quarter of that, and what records cost besides their bytes counts as
 * well: no more than eight thousand records a second go. Of what is not urgent they are the fewer
 * the busier the node is, a thousand at one that has no time left.
 */
export class Pace {
  readonly #parts: PaceParts;
  readonly #bytesPerMs: number;
  /** When what was sent so far would have been sent at exactly this rate. */
  #spentUntilMs = 0;

  constructor(parts: PaceParts) {
    this.#parts = parts;
    this.#bytesPerMs = parts.bytesPerSecond / 1000;
  }

  /** False if nothing is to be paid at all. */
  get isMoving(): boolean {
    return this.#bytesPerMs > 0;
  }

  get isYielding(): boolean {
    return this.#parts.isBusy();
  }

  /** Bytes of records that may go together. */
  get batchBytes(): number {
    if (this.isYielding) return batchBytesMin;
    const burstBytes = Math.floor(this.#bytesPerMs * burstMs);
    return Math.max(batchBytesMin, Math.min(batchBytesMax, burstBytes));
  }

  /** Of so many things that could go together, how many do. */
  together(most: number, isUrgent: boolean): number {
    if (!this.isYielding) return most;
    // Answers take longer the busier nodes are: what is urgent has more come with each.
    const parts = yieldingParts / (isUrgent ? this.#parts.pressure.restMs(1) : 1);
    return Math.ceil(most / parts);
  }

  /** So long a moment is, in which what is under way now may come to its end. */
  momentMs(ms: number): number {
    return this.isYielding ? this.#parts.pressure.restMs(ms) : ms;
  }

  /** Counts what goes out, or comes in; less than nothing takes back what was counted before. */
  spend(spent: Spent, nowMs: MonotonicMs): void {
    this.#spentUntilMs = Math.max(nowMs, this.#spentUntilMs) + this.#msOf(spent);
  }

  /** How long to wait before more is sent; 0 if nothing is in the way. */
  pauseMs(nowMs: MonotonicMs): number {
    const aheadMs = this.#spentUntilMs - nowMs;
    return aheadMs > burstMs ? aheadMs - burstMs / 2 : 0;
  }

  #msOf({ bytes, records = 0, entries = 0, isUrgent = false }: Spent): number {
    const atRateMs = bytes / this.#bytesPerMs;
    if (!this.isYielding) return atRateMs;
    const workMs = records * recordMs + entries * entryMs;
    const busyMs = isUrgent ? workMs : this.#parts.pressure.restMs(workMs);
    return atRateMs * yieldingShare + busyMs;
  }
}
