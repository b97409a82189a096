const step = 0.05;
/** Latencies below this differ by the clock's and the timers' grain only. */
const msMin = 0.1;
const msMax = 10_000;

/**
 * About a quantile of latencies, in one number and without samples: a later one raises it, an
 * earlier one lowers it, by steps whose ratio balances where the share of later ones is as asked
 * (stochastic approximation after Robbins and Monro; "frugal streaming" with relative steps). Old
 * latencies fade by themselves: after a change by a factor of ten, 50 later ones or 900 earlier
 * ones take it there at the 95th percentile.
 */
export class QuantileTracker {
  #ms: number;
  readonly #up: number;
  readonly #down: number;

  /** @param quantile between 0 and 1. */
  constructor(quantile: number, firstMs: number) {
    this.#ms = firstMs;
    this.#up = 1 + step * quantile;
    this.#down = 1 - step * (1 - quantile);
  }

  get ms(): number {
    return this.#ms;
  }

  add(ms: number): void {
    const next = this.#ms * (ms > this.#ms ? this.#up : this.#down);
    this.#ms = Math.min(msMax, Math.max(msMin, next));
  }
}
