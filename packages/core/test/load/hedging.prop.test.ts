import * as fc from "fast-check";
import { expect, it } from "vitest";
import { HedgeBudget } from "../../src/load/hedge-budget.ts";
import { PeerLoad } from "../../src/load/peer-load.ts";
import { QuantileTracker } from "../../src/load/quantile-tracker.ts";

it("settles where about one latency in twenty is above it, whatever latencies are like", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.5, max: 500, noNaN: true }),
      fc.double({ min: 0.2, max: 200, noNaN: true }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 64, maxLength: 64 }),
      (firstMs, scaleMs, samples) => {
        const tracker = new QuantileTracker(0.95, firstMs);
        let late = 0;
        for (let at = 0; at < 8000; at += 1) {
          // A fixed walk over the samples, spread a little so that no two are equal.
          const sample = samples[(at * 37) % 64] as number;
          const ms = scaleMs * (1 + sample + ((at * 7919) % 1000) / 1000);
          if (at >= 4000 && ms > tracker.ms) late += 1;
          tracker.add(ms);
        }
        expect(late / 4000).toBeGreaterThan(0.02);
        expect(late / 4000).toBeLessThan(0.1);
      },
    ),
    { numRuns: 30 },
  );
});

it("lets no more than the share of reads hedge, and a burst, however they are mixed", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 100 }),
      fc.array(fc.boolean(), { maxLength: 2000 }),
      (percentMax, events) => {
        const budget = new HedgeBudget(percentMax);
        let reads = 0;
        let hedges = 0;
        for (const isRead of events) {
          if (isRead) {
            reads += 1;
            budget.earn();
          } else if (budget.take()) hedges += 1;
        }
        const burst = percentMax === 0 ? 0 : 64;
        expect(hedges).toBeLessThanOrEqual(burst + (reads * percentMax) / 100 + 1e-6);
      },
    ),
  );
});

it("gives every hedge that is within the share", () => {
  const budget = new HedgeBudget(10);
  let refused = 0;
  for (let read = 0; read < 10_000; read += 1) {
    budget.earn();
    if (read % 10 === 9 && !budget.take()) refused += 1;
  }
  expect(refused).toBe(0);
});

it("whatever hedges take, the trigger stays where the other reads put it", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ ms: fc.integer({ min: 1, max: 5000 }), isHedge: fc.boolean() })),
      (reads) => {
        const [all, alone] = [new PeerLoad(25), new PeerLoad(25)];
        let now = 0;
        for (const { ms, isHedge } of reads) {
          for (const load of isHedge ? [all] : [all, alone]) {
            load.began(now);
            if (ms % 7 === 0) load.timedOut(now, now + ms, isHedge);
            else load.answered(now, now + ms, isHedge);
          }
          now += 10_000;
        }
        expect(all.p95Ms).toBe(alone.p95Ms);
      },
    ),
  );
});
