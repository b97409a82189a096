import { randomFillSync } from "node:crypto";
import { invariant } from "@coterie/core";
import type { Random } from "@coterie/ports";

const poolBytes = 8192;
const boundMax = 2 ** 48;

/** The system's randomness, fetched by the pool: a call per draw would cost microseconds. */
export class NodeRandom implements Random {
  readonly #pool = new Uint8Array(poolBytes);
  #used: number = poolBytes;

  below(bound: number): number {
    invariant(Number.isInteger(bound), "the bound of a random number is an integer");
    invariant(bound >= 1, "the bound of a random number is positive");
    invariant(bound <= boundMax, "the bound of a random number is at most 2^48");
    // What lies above the last whole multiple of the bound is drawn again: the rest is unbiased.
    const limit = boundMax - (boundMax % bound);
    for (;;) {
      let drawn = 0;
      for (const byte of this.#take(6)) drawn = drawn * 256 + byte;
      if (drawn < limit) return drawn % bound;
    }
  }

  bytes(count: number): Uint8Array {
    return count > poolBytes / 8
      ? randomFillSync(new Uint8Array(count))
      : this.#take(count).slice();
  }

  /** Bytes of the pool that nobody has had yet; the view is good until the next call. */
  #take(count: number): Uint8Array {
    if (this.#used + count > poolBytes) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    this.#used += count;
    return this.#pool.subarray(this.#used - count, this.#used);
  }
}
