import type { Random } from "../random.ts";
import { type Guarantee, check, checkSame } from "./guarantee.ts";

export interface RandomSubject {
  readonly random: Random;
}

/** What every Random guarantees. */
export const randomGuarantees: readonly Guarantee<RandomSubject>[] = [
  {
    name: "below returns integers from 0 to below the bound, for bounds up to 2^48",
    async run({ random }) {
      for (const bound of [1, 2, 3, 7, 255, 256, 257, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 48]) {
        for (let draw = 0; draw < 200; draw++) {
          const value = random.below(bound);
          const isWithin = Number.isInteger(value) && value >= 0 && value < bound;
          check(isWithin, `below(${bound}) returned ${value}`);
        }
      }
    },
  },
  {
    name: "below reaches every value about equally often",
    async run({ random }) {
      for (const bound of [2, 6, 10]) {
        const counts = Array.from({ length: bound }, () => 0);
        const draws = bound * 1000;
        for (let draw = 0; draw < draws; draw++) {
          const value = random.below(bound);
          counts[value] = (counts[value] ?? 0) + 1;
        }
        // Seven standard deviations: a fair source fails this less than once in 10^10 runs.
        const isFair = counts.every((count) => Math.abs(count - 1000) < 7 * Math.sqrt(1000));
        check(isFair, `below(${bound}) drew ${counts.join(", ")}`);
      }
    },
  },
  {
    name: "below reaches the upper half of a bound above 2^32",
    async run({ random }) {
      let upper = 0;
      for (let draw = 0; draw < 1000; draw++) if (random.below(2 ** 48) >= 2 ** 47) upper++;
      check(upper > 350 && upper < 650, `${upper} of 1000 draws were in the upper half`);
    },
  },
  {
    name: "bytes returns as many bytes as asked for, its own each time",
    async run({ random }) {
      for (const count of [0, 1, 8, 16, 1000, 100_000]) {
        checkSame(random.bytes(count).length, count, "the length of bytes");
      }
      const first = random.bytes(16);
      const kept = first.join();
      const second = random.bytes(16);
      check(first.join() === kept, "bytes leaves alone what it returned before");
      check(second.join() !== kept, "bytes does not repeat itself");
    },
  },
  {
    name: "bytes takes every value",
    async run({ random }) {
      checkSame(new Set(random.bytes(20_000)).size, 256, "distinct values among 20000 bytes");
    },
  },
];
