import * as fc from "fast-check";
import { expect, it } from "vitest";
import { TokenBucket } from "../src/engine/token-bucket.ts";

const event = fc.oneof(
  fc.record({ kind: fc.constantFrom("earn", "take", "give") }),
  fc.record({ kind: fc.constant("pass"), ms: fc.integer({ min: 0, max: 5000 }) }),
);

it("never gives more than the burst, its share, what time brings and what comes back", () => {
  fc.assert(
    fc.property(
      fc.record({
        ratio: fc.double({ min: 0.01, max: 1, noNaN: true }),
        burst: fc.integer({ min: 0, max: 50 }),
        perSecond: fc.integer({ min: 0, max: 20 }),
      }),
      fc.array(event, { maxLength: 500 }),
      (options, events) => {
        const bucket = new TokenBucket(options, 1000);
        let nowMs = 1000;
        let [earned, taken, given] = [0, 0, 0];
        for (const each of events) {
          if ("ms" in each) nowMs += each.ms;
          else if (each.kind === "earn") {
            bucket.earn();
            earned += 1;
          } else if (each.kind === "give") {
            bucket.give();
            given += 1;
          } else if (bucket.take(nowMs)) taken += 1;
        }
        const byTime = (options.perSecond * (nowMs - 1000)) / 1000;
        const most = options.burst + earned * options.ratio + byTime + given;
        expect(taken).toBeLessThanOrEqual(most + 1e-9);
      },
    ),
  );
});

it("is full at first, and fills again by events, by time and by what comes back", () => {
  const bucket = new TokenBucket({ ratio: 0.5, burst: 2, perSecond: 10 }, 0);
  expect([bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([true, true, false]);
  bucket.earn();
  expect(bucket.take(0)).toBe(false);
  bucket.earn();
  expect(bucket.take(0)).toBe(true);
  bucket.give();
  expect([bucket.take(0), bucket.take(0)]).toEqual([true, false]);
  expect([bucket.take(99), bucket.take(100), bucket.take(100)]).toEqual([false, true, false]);
});
