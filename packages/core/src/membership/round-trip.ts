/** Smoothed round trip and its deviation, as TCP estimates them (RFC 6298, section 2). */
export class RoundTrip {
  #smoothedMs: number;
  #deviationMs: number;

  constructor(firstMs: number) {
    this.#smoothedMs = firstMs;
    this.#deviationMs = firstMs / 2;
  }

  get ms(): number {
    return this.#smoothedMs;
  }

  /** How long an answer takes at most, nearly always. */
  get timeoutMs(): number {
    return this.#smoothedMs + 4 * this.#deviationMs;
  }

  add(ms: number): void {
    this.#deviationMs += (Math.abs(ms - this.#smoothedMs) - this.#deviationMs) / 4;
    this.#smoothedMs += (ms - this.#smoothedMs) / 8;
  }
}
