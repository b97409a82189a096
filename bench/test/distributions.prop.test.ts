import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fnv64, fnvBucket } from "../src/workload/fnv.ts";
import { keyChooser } from "../src/workload/key-chooser.ts";
import { KeySpace, ownNumber } from "../src/workload/key-space.ts";
import { drawKind, mixes, workloadNames } from "../src/workload/mix.ts";
import { seededDraw } from "../src/workload/random.ts";
import { ScrambledZipfian, Zipfian, theta, zeta } from "../src/workload/zipfian.ts";

const draws = 200_000;

/** How often each of `items` was drawn, as shares. */
function sharesOf(items: number, next: () => number): readonly number[] {
  const counts = Array.from({ length: items }, () => 0);
  for (let turn = 0; turn < draws; turn += 1) {
    const item = next();
    counts[item] = (counts[item] ?? Number.NaN) + 1;
  }
  expect(counts.length).toBe(items);
  expect(counts.reduce((sum, count) => sum + count)).toBe(draws);
  return counts.map((count) => count / draws);
}

describe("zipfian ranks", () => {
  it.each([2, 10, 1000])("of %d items have the probabilities 1 / rank^0.99", (items) => {
    const zipfian = new Zipfian(items);
    const draw = seededDraw(items);
    const shares = sharesOf(items, () => zipfian.next(draw));
    const total = zeta(items);
    // Five standard deviations for the two ranks that the method draws exactly.
    for (const rank of [0, 1]) {
      const expected = 1 / (rank + 1) ** theta / total;
      const deviation = Math.sqrt((expected * (1 - expected)) / draws);
      expect(Math.abs((shares[rank] ?? 0) - expected)).toBeLessThan(5 * deviation + 1e-9);
    }
    // It approximates the others: the distribution as a whole differs by less than 3 %.
    let expectedSum = 0;
    let sum = 0;
    for (let rank = 0; rank < items; rank += 1) {
      expectedSum += 1 / (rank + 1) ** theta / total;
      sum += shares[rank] ?? 0;
      expect(Math.abs(sum - expectedSum)).toBeLessThan(0.03);
    }
  });

  it("stay within any number of items, also when it grows", () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.nat(5000), fc.nat(), (items, more, seed) => {
        const zipfian = new Zipfian(items + 1);
        const grown = new Zipfian(items + 1);
        grown.grow(items + 1 + more);
        const fresh = new Zipfian(items + 1 + more);
        const draw = seededDraw(seed);
        const [left, right] = [seededDraw(seed), seededDraw(seed)];
        for (let turn = 0; turn < 20; turn += 1) {
          expect(zipfian.next(draw)).toBeLessThanOrEqual(items);
          expect(grown.next(left)).toBe(fresh.next(right));
        }
      }),
    );
  });
});

it("scatters the popular keys, and keeps how popular they are", () => {
  const items = 1000;
  const zipfian = new ScrambledZipfian(items);
  const draw = seededDraw(7);
  const shares = sharesOf(items, () => zipfian.next(draw));
  const hottest = shares.indexOf(Math.max(...shares));
  expect(hottest).toBe(fnvBucket(0, items));
  // YCSB's constant: of ten thousand million ranks, the first has 1 / 26.469.
  expect(shares[hottest]).toBeGreaterThan(1 / 26.47);
  expect(shares[hottest]).toBeLessThan(1 / 26.47 + 0.01);
  const top = shares.toSorted((left, right) => right - left).slice(0, 10);
  expect(top.reduce((sum, share) => sum + share)).toBeGreaterThan(0.1);
});

it("draws uniformly, and the newest most", () => {
  const keys = new KeySpace("k", 100);
  const uniform = keyChooser("uniform", keys, seededDraw(1));
  for (const share of sharesOf(100, uniform)) expect(share).toBeCloseTo(0.01, 2);
  const latest = keyChooser("latest", keys, seededDraw(1));
  const shares = sharesOf(100, latest);
  expect(shares[99]).toBeCloseTo(1 / zeta(100), 2);
  expect(shares[98]).toBeCloseTo(1 / 2 ** theta / zeta(100), 2);
  for (let turn = 0; turn < 50; turn += 1) keys.settle(keys.take());
  expect(Array.from({ length: 100 }, latest).some((number) => number >= 140)).toBe(true);
});

it("hashes as FNV-1a of 64 bits does", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 2 ** 26 }), (value, count) => {
      let hash = 0xcbf29ce484222325n;
      for (let byte = 0n; byte < 8n; byte += 1n) {
        hash ^= (BigInt(value) >> (byte * 8n)) & 0xffn;
        hash = BigInt.asUintN(64, hash * 0x100000001b3n);
      }
      const { high, low } = fnv64(value);
      expect((BigInt(high) << 32n) | BigInt(low)).toBe(hash);
      const signed = BigInt.asIntN(64, hash);
      const absolute = signed < 0n ? -signed : signed;
      expect(fnvBucket(value, count)).toBe(Number(absolute % BigInt(count)));
    }),
  );
});

it("never reads ahead of acknowledged inserts, whatever their order", () => {
  const orders = fc.shuffledSubarray([...Array(12).keys()], { minLength: 12 });
  fc.assert(
    fc.property(orders, fc.integer({ min: 1, max: 50 }), (order, loaded) => {
      const keys = new KeySpace("k", loaded);
      const taken = order.map(() => keys.take());
      expect(new Set(taken).size).toBe(12);
      const settled = new Set<number>();
      for (const at of order) {
        keys.settle(taken[at] ?? 0);
        settled.add(taken[at] ?? 0);
        let there = loaded;
        while (settled.has(there)) there += 1;
        expect(keys.count).toBe(there);
      }
    }),
  );
});

it("gives every generator keys of its own", () => {
  const taken = [0, 1, 2].flatMap((offset) => {
    const keys = new KeySpace("k", 100, { offset, stride: 3 });
    return Array.from({ length: 20 }, () => keys.take());
  });
  expect(new Set(taken).size).toBe(60);
  expect(Math.min(...taken)).toBe(100);
});

it("keeps a generator to keys of its own that are there", () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.integer({ min: 1, max: 5 }), fc.nat(4), (number, stride, at) => {
      const offset = at % stride;
      const own = ownNumber(number, { offset, stride });
      expect(own % stride).toBe(offset);
      expect(own).toBeLessThanOrEqual(Math.max(number, offset));
      expect(number - own).toBeLessThan(stride);
    }),
  );
});

it.each(workloadNames)("mixes the operations of %s as it says", (name) => {
  const { shares } = mixes[name];
  const draw = seededDraw(3);
  const counts = new Map<string, number>();
  for (let turn = 0; turn < 20_000; turn += 1) {
    const kind = drawKind(mixes[name], draw());
    counts.set(kind, (counts.get(kind) ?? 0) + 1 / 20_000);
  }
  for (const [kind, share] of Object.entries(shares)) {
    expect(counts.get(kind)).toBeCloseTo(share, 1);
  }
  expect([...counts.keys()].toSorted()).toEqual(Object.keys(shares).toSorted());
});
