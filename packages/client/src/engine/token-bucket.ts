export interface TokenBucketOptions {
  /** Of a token, earned by each event. */
  readonly ratio: number;
  /** Tokens at first and at most. */
  readonly burst: number;
  /** Tokens that time alone brings. */
  readonly perSecond: number;
}

/**
 * A share of what happens: each event earns `ratio` of a token, and what may happen beyond it takes
 * a whole one. Full at first and never over `burst`, so that a quiet client can still act.
 */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #atMs: number;

  constructor(options: TokenBucketOptions, nowMs: number) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#atMs = nowMs;
  }

  earn(): void {
    this.#add(this.#options.ratio);
  }

  /** True if there was a token to take. */
  take(nowMs: number): boolean {
    this.#add((this.#options.perSecond * Math.max(0, nowMs - this.#atMs)) / 1000);
    this.#atMs = Math.max(this.#atMs, nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Gives back a token that was taken: what it was for has done no harm. */
  give(): void {
    this.#add(1);
  }

  #add(tokens: number): void {
    this.#tokens = Math.min(this.#options.burst, this.#tokens + tokens);
  }
}
