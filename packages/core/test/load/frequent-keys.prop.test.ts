import * as fc from "fast-check";
import { expect, it } from "vitest";
import { FrequentKeys } from "../../src/load/frequent-keys.ts";
import { Thinning } from "../../src/load/thinning.ts";
import { tokenOf } from "../../src/ring/token.ts";

const space = { hash: "md5", partitions: 64 } as const;
const keysMax = 5;
const halfLifeMs = 1000;

function keyOf(number: number): { bucket: string; key: Uint8Array } {
  return { bucket: "b", key: Uint8Array.of(number) };
}

const request = fc.record({
  number: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 30 })),
  weight: fc.integer({ min: 1, max: 9 }),
  // The pauses of which there are many halve counts a few times, the rare ones forget them.
  pauseMs: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: 0, max: 700 }) },
    { weight: 1, arbitrary: fc.constant(90 * halfLifeMs) },
  ),
});

it("counts too much by no more than it says, and leaves out no key above the floor", () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 300 }), (requests) => {
      const frequent = new FrequentKeys({ keysMax, halfLifeMs });
      const exact = new Map<number, number>();
      let nowMs = 5_000_000;
      for (const { number, weight, pauseMs } of requests) {
        nowMs += pauseMs;
        for (const [each, count] of exact) exact.set(each, count * 2 ** (-pauseMs / halfLifeMs));
        exact.set(number, (exact.get(number) ?? 0) + weight);
        const key = keyOf(number);
        frequent.add(tokenOf(key, space), key, weight, nowMs);
        expect(frequent.size).toBeLessThanOrEqual(keysMax);
      }
      const slack = 1e-9;
      const total = [...exact.values()].reduce((sum, count) => sum + count, 0);
      for (const limit of [2, keysMax]) {
        const read = frequent.read(limit, nowMs);
        expect(Math.abs(read.total - total)).toBeLessThan(slack * (1 + total));
        const found = new Set<number>();
        let previous = Number.POSITIVE_INFINITY;
        for (const { key, count, error } of read.keys) {
          const truth = exact.get(key[0] as number) ?? 0;
          expect(count).toBeGreaterThanOrEqual(truth - slack);
          expect(count - error).toBeLessThanOrEqual(truth + slack);
          expect(error).toBeLessThanOrEqual(total / keysMax + slack);
          const sure = frequent.sure(tokenOf(keyOf(key[0] as number), space), nowMs);
          expect(Math.abs(sure - (count - error))).toBeLessThan(slack * (1 + count));
          expect(count).toBeLessThanOrEqual(previous);
          previous = count;
          found.add(key[0] as number);
        }
        for (const [number, truth] of exact) {
          if (!found.has(number)) expect(truth).toBeLessThanOrEqual(read.floor + slack);
        }
      }
      expect(frequent.read(keysMax, nowMs).floor).toBeLessThanOrEqual(total / keysMax + slack);
    }),
  );
});

it("keeps keys of its own, whatever becomes of the bytes that it was given", () => {
  const frequent = new FrequentKeys({ keysMax, halfLifeMs });
  const key = keyOf(7);
  frequent.add(tokenOf(key, space), key, 1, 0);
  key.key.fill(0);
  expect(frequent.read(1, 0).keys[0]?.key).toEqual(Uint8Array.of(7));
});

it("makes the rate of a steady row from its count", () => {
  const frequent = new FrequentKeys({ keysMax, halfLifeMs });
  const key = keyOf(1);
  const token = tokenOf(key, space);
  for (let ms = 0; ms < 20 * halfLifeMs; ms += 1) frequent.add(token, key, 3, ms);
  const { total } = frequent.read(1, 20 * halfLifeMs);
  expect(frequent.perSecond(total)).toBeGreaterThan(2990);
  expect(frequent.perSecond(total)).toBeLessThan(3010);
});

it("draws evenly from periodic rows at any rate, and all of a slow one", () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 1, max: 64 }),
      fc.integer({ min: 1, max: 100 }),
      (seed, period, perMs) => {
        const thinning = new Thinning(seed);
        const events = 400_000;
        let drawn = 0;
        let weights = 0;
        let firsts = 0;
        for (let at = 0; at < events; at += 1) {
          if (!thinning.passes()) continue;
          const weight = thinning.draw(Math.floor(at / perMs));
          drawn += 1;
          weights += weight;
          if (at % period === 0) firsts += weight;
        }
        expect(Math.abs(weights - events)).toBeLessThan(events * 0.1);
        // Five standard deviations of what is drawn of the share.
        const deviation = Math.sqrt(drawn / period) * (weights / drawn) * 5;
        expect(Math.abs(firsts - events / period)).toBeLessThan(deviation + events * 0.02);
        // Gaps are powers of two: about a thousand each second, and at most twice that.
        expect(drawn).toBeLessThan((events / perMs) * 2.5 + 500);
      },
    ),
    { numRuns: 20 },
  );
  const slow = new Thinning(1);
  for (let ms = 0; ms < 100_000; ms += 5) {
    expect(slow.passes()).toBe(true);
    expect(slow.draw(ms)).toBe(1);
  }
});
