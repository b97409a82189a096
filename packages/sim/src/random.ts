import { invariant } from "@coterie/core";
import type { Random } from "@coterie/ports";

const boundMax = 2 ** 48;

/**
 * Randomness that a seed determines: xoshiro128** (Blackman and Vigna), its state filled by
 * SplitMix32 from the seed. Not for secrets.
 */
export class SeededRandom implements Random {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number | string) {
    this.#seed = String(seed);
    const next = splitMix(hash(this.#seed));
    this.#a = next();
    this.#b = next();
    this.#c = next();
    // The all-zero state would yield zeros for ever.
    this.#d = next() | 1;
  }

  below(bound: number): number {
    invariant(Number.isInteger(bound), "the bound of a random number is an integer");
    invariant(bound >= 1, "the bound of a random number is positive");
    invariant(bound <= boundMax, "the bound of a random number is at most 2^48");
    if (bound < 2 ** 32) return this.#belowWord(bound >>> 0);
    const range = bound === 2 ** 32 ? bound : boundMax;
    // What lies above the last whole multiple of the bound is drawn again: the rest is unbiased.
    const limit = range - (range % bound);
    for (;;) {
      const high = range === boundMax ? (this.#next() >>> 16) * 2 ** 32 : 0;
      const drawn = high + this.#next();
      if (drawn < limit) return drawn % bound;
    }
  }

  /** An integer from 0 to 2^32 − 1. */
  word(): number {
    return this.#next();
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at++) bytes[at] = this.#next() >>> 24;
    return bytes;
  }

  /** True `perThousand` times in a thousand. Draws even when the answer is certain. */
  chance(perThousand: number): boolean {
    return this.below(1000) < perThousand;
  }

  /** An independent stream for `label`: the same whenever, and however often, it is asked for. */
  fork(label: string): SeededRandom {
    return new SeededRandom(`${this.#seed}/${label}`);
  }

  /** In integers alone: remainders of others cost ten times as much. */
  #belowWord(bound: number): number {
    const biased = (-bound >>> 0) % bound;
    for (;;) {
      const drawn = this.#next();
      if (drawn <= 0xffff_ffff - biased) return drawn % bound;
    }
  }

  #next(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 11);
    return result;
  }
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** FNV-1a over the UTF-16 units. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  }
  return state;
}

function splitMix(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return mixed ^ (mixed >>> 16);
  };
}
