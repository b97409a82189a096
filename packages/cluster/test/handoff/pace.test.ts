import type { MonotonicMs } from "@coterie/ports";
import { expect, it } from "vitest";
import { Pace, type Spent } from "../../src/handoff/pace.ts";

const now = 1000 as MonotonicMs;
/** What may go out at once after a rest, as time. */
const burstMs = 20;

function paceAt(slowdown: number, isBusy = true): Pace {
  return new Pace({
    bytesPerSecond: 1 << 26,
    isBusy: () => isBusy,
    pressure: { restMs: (ms) => ms * slowdown },
  });
}

/** Milliseconds that so much counts for. */
function msOf(pace: Pace, spent: Spent): number {
  pace.spend(spent, now);
  return Math.round(pace.pauseMs(now) + burstMs / 2);
}

const records: Spent = { bytes: 0, records: 8000 };

it("counts records for longer the busier the node is, unless they are urgent", () => {
  expect(msOf(paceAt(1), records)).toBe(1000);
  expect(msOf(paceAt(8), records)).toBe(8000);
  expect(msOf(paceAt(1), { ...records, isUrgent: true })).toBe(1000);
  expect(msOf(paceAt(8), { ...records, isUrgent: true })).toBe(1000);
});

it("counts bytes alone where no clients wait", () => {
  const bytes = 1 << 26;
  for (const isUrgent of [false, true]) {
    expect(msOf(paceAt(8, false), { ...records, bytes, isUrgent })).toBe(1000);
  }
});

it("puts less in one message where clients wait, and more of what is urgent the busier", () => {
  expect(paceAt(8, false).together(16, false)).toBe(16);
  expect([paceAt(1).together(16, false), paceAt(8).together(16, false)]).toEqual([2, 2]);
  expect([1, 2, 4, 8].map((slowdown) => paceAt(slowdown).together(16, true))).toEqual([
    2, 4, 8, 16,
  ]);
});
