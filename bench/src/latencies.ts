/** Latencies of one run, in milliseconds; exact percentiles, since a run fits in memory. */
export class Latencies {
  #values = new Float64Array(1024);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(ms: number): void {
    if (this.#count === this.#values.length) {
      const grown = new Float64Array(this.#values.length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#count] = ms;
    this.#count += 1;
  }

  /** The latencies at `shares`, such as 0.5 and 0.99. */
  percentiles(shares: readonly number[]): readonly number[] {
    const sorted = this.#values.slice(0, this.#count).sort();
    return shares.map((share) => {
      const rank = Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1);
      return sorted[Math.max(0, rank)] ?? Number.NaN;
    });
  }
}
