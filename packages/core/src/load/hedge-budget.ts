/** Hedges that may be sent at once after a quiet time. */
const burst = 64;

/**
 * Of any row of reads, at most a share may hedge, and a burst on top: a token bucket that fills by
 * reads and not by time, so that a cluster that is slow altogether gets no more work from it.
 */
export class HedgeBudget {
  readonly #perRead: number;
  #tokens = burst;

  /** @param percentMax of the reads; 0: none ever. */
  constructor(percentMax: number) {
    this.#perRead = percentMax / 100;
    if (percentMax === 0) this.#tokens = 0;
  }

  /** A read was begun. */
  earn(): void {
    this.#tokens = Math.min(burst, this.#tokens + this.#perRead);
  }

  /** Takes the token of one hedge; false: there is none. */
  take(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
