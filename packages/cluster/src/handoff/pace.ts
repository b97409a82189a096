import type { MonotonicMs } from "@coterie/ports";

/** How much may go out at once after a rest, as time at the full rate, in milliseconds. */
const burstMs = 20;
/** While clients are many, what is owed goes out at this fraction of its rate. */
const yieldingShare = 4;

/** Bytes of records that go together, at most; less at a low rate, which is not to be outrun. */
const batchBytesMax = 256 * 1024;
const batchBytesMin = 16 * 1024;

/** The rate at which a node pays its debts, all targets together. */
export class Pace {
  readonly #bytesPerMs: number;
  readonly #isBusy: () => boolean;
  /** When what was sent so far would have been sent at exactly this rate. */
  #spentUntilMs = 0;

  /** @param isBusy true while clients' requests come first. */
  constructor(bytesPerSecond: number, isBusy: () => boolean) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#isBusy = isBusy;
  }

  /** False if nothing is to be paid at all. */
  get isMoving(): boolean {
    return this.#bytesPerMs > 0;
  }

  get isYielding(): boolean {
    return this.#isBusy();
  }

  /** Bytes of records that may go together. */
  get batchBytes(): number {
    if (this.#isBusy()) return batchBytesMin;
    const burstBytes = Math.floor(this.#bytesPerMs * burstMs);
    return Math.max(batchBytesMin, Math.min(batchBytesMax, burstBytes));
  }

  /** Counts what goes out, or comes in; less than nothing takes back what was counted before. */
  spend(bytes: number, nowMs: MonotonicMs): void {
    const rate = this.#isBusy() ? this.#bytesPerMs / yieldingShare : this.#bytesPerMs;
    this.#spentUntilMs = Math.max(nowMs, this.#spentUntilMs) + bytes / rate;
  }

  /** How long to wait before more is sent; 0 if nothing is in the way. */
  pauseMs(nowMs: MonotonicMs): number {
    const aheadMs = this.#spentUntilMs - nowMs;
    return aheadMs > burstMs ? aheadMs - burstMs / 2 : 0;
  }
}
