/**
 * A share of what happens: each event earns `ratio` of a token, and what may happen beyond it takes
 * a whole one. Full at first and never over `burst`, so that a quiet client can still act.
 */
export class TokenBucket {
  readonly #ratio: number;
  readonly #burst: number;
  #tokens: number;

  constructor(ratio: number, burst: number) {
    this.#ratio = ratio;
    this.#burst = burst;
    this.#tokens = burst;
  }

  earn(): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + this.#ratio);
  }

  /** True if there was a token to take. */
  take(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
