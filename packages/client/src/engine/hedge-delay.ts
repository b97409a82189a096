const quantile = 0.95;
const step = 0.05;
const delayMsFirst = 50;
const delayMsMin = 1;
const delayMsMax = 1000;

/**
 * How long a read waits before it is also sent to another node: about the 95th percentile of
 * what first attempts take, tracked without keeping samples. Each first attempt says one thing,
 * whether it was answered within the delay, so that the ratio of ups and downs settles where one
 * in twenty is late. What a hedge took is never heard, and a read that was hedged counts as late
 * whoever answered it: hedges can neither lower nor raise their own trigger.
 */
export class HedgeDelay {
  #delayMs = delayMsFirst;

  get delayMs(): number {
    return this.#delayMs;
  }

  observe(wasLate: boolean): void {
    const factor = wasLate ? 1 + step * quantile : 1 - step * (1 - quantile);
    this.#delayMs = Math.min(delayMsMax, Math.max(delayMsMin, this.#delayMs * factor));
  }
}
