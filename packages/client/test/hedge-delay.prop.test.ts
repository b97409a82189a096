import * as fc from "fast-check";
import { expect, it } from "vitest";
import { HedgeDelay } from "../src/engine/hedge-delay.ts";

it("settles where about one read in twenty is late, whatever reads take", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 2, max: 200, noNaN: true }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 64, maxLength: 64 }),
      (scaleMs, samples) => {
        const delay = new HedgeDelay();
        const ordered = samples.toSorted((left, right) => left - right);
        let late = 0;
        for (let at = 0; at < 8000; at += 1) {
          // A fixed walk over the samples, spread a little so that no two are equal.
          const sample = ordered[(at * 37) % 64] as number;
          const tookMs = scaleMs * (1 + sample + ((at * 7919) % 1000) / 1000);
          const wasLate = tookMs > delay.delayMs;
          if (at >= 4000 && wasLate) late += 1;
          delay.observe(wasLate);
        }
        expect(late / 4000).toBeGreaterThan(0.02);
        expect(late / 4000).toBeLessThan(0.1);
      },
    ),
    { numRuns: 30 },
  );
});
