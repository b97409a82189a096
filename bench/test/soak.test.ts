import { expect, it } from "vitest";
import { Obligations } from "../src/soak/obligations.ts";
import { type Sample, slopeOf, trendOf } from "../src/soak/resident-series.ts";
import { scheduleOf } from "../src/soak/schedule.ts";
import { addTo, newPart, waitsOf } from "../src/soak/waits.ts";

const key = "key";
const mebibyte = 1024 * 1024;

it("an acknowledged write is missed unless it is there, or replaced by one that is", () => {
  const obligations = new Obligations();
  expect(obligations.begin(key, [])).toBe(1);
  expect(obligations.missing(key, [])).toEqual([]);
  obligations.acknowledge(key, 1);
  expect(obligations.missing(key, [])).toEqual([1]);
  expect(obligations.missing(key, [1])).toEqual([]);
  expect(obligations.begin(key, [1])).toBe(2);
  expect([obligations.missing(key, [2]), obligations.missing(key, [])]).toEqual([[], [1]]);
  obligations.acknowledge(key, 2);
  expect([obligations.missing(key, [1]), obligations.missing(key, [2])]).toEqual([[2], []]);
  expect([obligations.keys, obligations.acknowledged]).toEqual([[key], 2]);
});

it("a write that failed may be there or not, and what it covers may be gone if it is", () => {
  const obligations = new Obligations();
  obligations.begin(key, []);
  obligations.acknowledge(key, 1);
  obligations.begin(key, [1]);
  expect([obligations.missing(key, [1]), obligations.missing(key, [2])]).toEqual([[], []]);
  // It was tried again with the same context: both may be there, side by side.
  obligations.begin(key, [1]);
  obligations.acknowledge(key, 3);
  expect(obligations.missing(key, [3, 2])).toEqual([]);
  expect(obligations.missing(key, [2])).toEqual([3]);
});

it("what a failed write had replaced is replaced for good with it", () => {
  const obligations = new Obligations();
  obligations.begin(key, []);
  obligations.acknowledge(key, 1);
  obligations.begin(key, [1]);
  // A read found the failed one, so that the next one covers it.
  obligations.begin(key, [2]);
  obligations.acknowledge(key, 3);
  expect(obligations.missing(key, [3])).toEqual([]);
});

it("siblings are owed one by one", () => {
  const obligations = new Obligations();
  for (const serial of [1, 2]) {
    obligations.begin(key, []);
    obligations.acknowledge(key, serial);
  }
  expect(obligations.missing(key, [1])).toEqual([2]);
  obligations.begin(key, [1, 2]);
  obligations.acknowledge(key, 3);
  expect([obligations.missing(key, [3]), obligations.missing(key, [1, 2])]).toEqual([[], [3]]);
});

/** A sample each second, growing by so many bytes per second from a height. */
function samples(from: number, to: number, bytes: number, perSecond: number): readonly Sample[] {
  return Array.from({ length: to - from + 1 }, (_, at) => ({
    seconds: from + at,
    bytes: bytes + at * perSecond,
  }));
}

it("the slope is that of the nearest line, whatever lies beside it", () => {
  const noisy = samples(0, 99, 500, 7).map((sample, at) => ({
    ...sample,
    bytes: sample.bytes + (at % 2 === 0 ? 10 : -10),
  }));
  expect(slopeOf(samples(0, 9, 100, 3))).toBeCloseTo(3);
  expect(slopeOf(noisy)).toBeCloseTo(7, 1);
});

it("a process that lives throughout is judged after its warm-up alone", () => {
  const warm = samples(300, 600, 100 * mebibyte, mebibyte / 60);
  const trend = trendOf("n1", [[...samples(0, 299, 0, mebibyte), ...warm]], 300);
  expect(trend).toMatchObject({ mebibytesFirst: 100, mebibytesLast: 105 });
  expect(trend?.mebibytesPerMinute).toBeCloseTo(1);
});

it("one that is restarted is judged by the ends of lives of equal length", () => {
  const lives = [
    samples(0, 180, 300 * mebibyte, 0),
    samples(190, 540, 100 * mebibyte, mebibyte / 10),
    samples(550, 900, 112 * mebibyte, mebibyte / 10),
    samples(910, 1000, 400 * mebibyte, 0),
  ];
  const trend = trendOf("n2", lives, 300);
  // Two lives whose ends are six minutes, and 12 MiB, apart.
  expect(trend?.mebibytesPerMinute).toBeCloseTo(2);
  expect(trend?.from).toBe("the ends of 2 lives of 350 s");
  expect(trendOf("n2", lives.slice(0, 2), 300)).toBeUndefined();
});

it("in half an hour two nodes are killed by turns every three minutes, and all is repaired", () => {
  const { seconds, partSeconds, awaySeconds, events } = scheduleOf(30);
  expect([seconds, partSeconds, awaySeconds]).toEqual([1800, 60, 10]);
  const kills = events.flatMap((event) => (event.kind === "kill" ? [event] : []));
  expect(kills.map(({ atSeconds }) => atSeconds / 60)).toEqual([3, 6, 9, 12, 15, 18, 21, 24, 27]);
  expect(kills.map(({ node }) => node).join(" ")).toBe("n2 n3 n2 n3 n2 n3 n2 n3 n2");
  expect(events.filter(({ kind }) => kind === "repair")).toEqual([
    { atSeconds: 960, kind: "repair" },
  ]);
  expect(events.map(({ atSeconds }) => atSeconds)).toEqual(
    events.map(({ atSeconds }) => atSeconds).toSorted((left, right) => left - right),
  );
  expect(scheduleOf(5).events.map(({ atSeconds }) => atSeconds)).toEqual(
    events.map(({ atSeconds }) => atSeconds / 6),
  );
});

it("waits of parts come together by kind, from when they were due, the failed too", () => {
  const outcome = (kind: "put" | "get", ms: number, error?: string) =>
    ({ kind, group: 0, dueMs: 1000, endedMs: 1000 + ms, error }) as const;
  const first = newPart();
  addTo(first, [outcome("put", 10), outcome("get", 2)]);
  const second = newPart();
  addTo(second, [outcome("put", 30, "timeout")]);
  expect(waitsOf([first, second])).toMatchObject({
    operations: 3,
    failed: 1,
    gets: { p50: 2, p99: 2 },
  });
  expect(waitsOf([first, second]).puts.p99).toBeCloseTo(30, 0);
  expect([...second.errors]).toEqual(["timeout"]);
});
