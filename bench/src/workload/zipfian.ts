import { fnvBucket } from "./fnv.ts";
import type { Draw } from "./random.ts";

/** YCSB's skew. */
export const theta = 0.99;

/** Sum of 1 / i^theta for i in (from, to]. */
export function zeta(to: number, from: number = 0): number {
  let sum = 0;
  for (let item = from + 1; item <= to; item += 1) sum += 1 / item ** theta;
  return sum;
}

const zeta2 = zeta(2);

/**
 * Ranks from 0, drawn so that rank i has a probability near 1 / (i + 1)^theta: Gray et al.,
 * "Quickly Generating Billion-Record Synthetic Databases", SIGMOD 1994, as YCSB does it. Exact for
 * the first two ranks, an approximation for the others.
 */
export class Zipfian {
  #items: number;
  #zeta: number;

  constructor(items: number, zetaOfItems: number = zeta(items)) {
    this.#items = items;
    this.#zeta = zetaOfItems;
  }

  /** More items from now on; costs as many steps as there are new ones. */
  grow(items: number): void {
    if (items <= this.#items) return;
    this.#zeta += zeta(items, this.#items);
    this.#items = items;
  }

  next(draw: Draw): number {
    const fraction = draw();
    const scaled = fraction * this.#zeta;
    if (scaled < 1) return 0;
    if (scaled < 1 + 0.5 ** theta) return 1;
    const eta = (1 - (2 / this.#items) ** (1 - theta)) / (1 - zeta2 / this.#zeta);
    const rank = Math.floor(this.#items * (eta * fraction - eta + 1) ** (1 / (1 - theta)));
    return Math.min(rank, this.#items - 1);
  }
}

/** The item count of YCSB's scrambled zipfian, and its zeta. */
const scrambledItems = 1e10;
const scrambledZeta = 26.46902820178302;

/**
 * YCSB's scrambled zipfian: the popular items lie anywhere among `items`, and their popularity does
 * not depend on how many there are.
 */
export class ScrambledZipfian {
  readonly #ranks = new Zipfian(scrambledItems, scrambledZeta);
  readonly #items: number;

  constructor(items: number) {
    this.#items = items;
  }

  next(draw: Draw): number {
    return fnvBucket(this.#ranks.next(draw), this.#items);
  }
}
