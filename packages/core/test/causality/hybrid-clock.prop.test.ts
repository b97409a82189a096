import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  HybridClock,
  type HybridTime,
  compareHybridTime,
  hybridTimeZero,
  limits,
} from "../../src/index.ts";

const wallMs = fc.integer({ min: 0, max: 200_000 });
const remote = fc.record({ wallMs, logical: fc.constantFrom(0, 1, 2, 0xfffe, 0xffff) });
const event = fc.oneof(
  wallMs.map((now) => ({ now, heard: undefined })),
  fc.record({ now: wallMs, heard: remote }),
);

const isLater = (left: HybridTime, right: HybridTime): boolean =>
  compareHybridTime(left, right) > 0;

describe("a hybrid clock", () => {
  it("issues times later than all it issued and accepted, wherever the wall clock jumps", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const clock = new HybridClock();
        let latest = hybridTimeZero;
        for (const { now, heard } of events) {
          if (heard === undefined) {
            const issued = clock.next(now);
            expect(isLater(issued, latest)).toBe(true);
            expect(issued.wallMs).toBeGreaterThanOrEqual(now);
            expect(issued.logical).toBeLessThanOrEqual(0xffff);
            latest = issued;
          } else if (clock.observe(heard, now) && isLater(heard, latest)) latest = heard;
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("refuses exactly what is too far ahead, and takes no note of it", () => {
    fc.assert(
      fc.property(wallMs, remote, (now, heard) => {
        const clock = new HybridClock();
        const isAhead = heard.wallMs > now + limits.clockSkewMsMax;
        expect(clock.observe(heard, now)).toBe(!isAhead);
        if (isAhead) expect(clock.next(now)).toEqual(new HybridClock().next(now));
      }),
      { numRuns: 1000 },
    );
  });

  it("follows the wall clock as long as that runs forward", () => {
    const clock = new HybridClock();
    const issued = [10, 11, 11, 12].map((now) => clock.next(now));
    expect(issued.map((time) => [time.wallMs, time.logical])).toEqual([
      [10, 0],
      [11, 0],
      [11, 1],
      [12, 0],
    ]);
  });

  it("borrows a millisecond when its counter is full", () => {
    const clock = new HybridClock();
    clock.observe({ wallMs: 7, logical: 0xffff }, 7);
    expect(clock.next(5)).toEqual({ wallMs: 8, logical: 0 });
  });
});
