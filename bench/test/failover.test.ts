import { expect, it } from "vitest";
import { partitionOf, tokenOf } from "@coterie/core";
import type { Asked } from "../src/failover/doors.ts";
import { OpenLoad, keyGroups } from "../src/failover/open-load.ts";
import { type Outcome, figuresOf } from "../src/failover/outcomes.ts";

const span = { fromMs: 1000, toMs: 2000 };

/** An operation of group 0 that ended then, 5 ms after it was due. */
function ended(kind: Outcome["kind"], endedMs: number, changes: Partial<Outcome> = {}): Outcome {
  return { kind, group: 0, dueMs: endedMs - 5, endedMs, error: undefined, ...changes };
}

/** Puts and gets of every group, every so often, but for a hole. */
function steady(everyMs: number, hole: readonly [number, number] = [0, 0]): readonly Outcome[] {
  const times: number[] = [];
  for (let at = span.fromMs; at < span.toMs; at += everyMs) {
    if (at < hole[0] || at >= hole[1]) times.push(at);
  }
  return times.flatMap((at) => [ended("put", at), ended("get", at)]);
}

it.each([
  ["at its beginning", [1000, 1400], 400],
  ["in its midst", [1500, 1700], 210],
  ["at its end", [1850, 2000], 160],
] as const)("a hole of a span is found %s", (_, hole, expected) => {
  const { putGapMs, getGapMs, groupGapMs } = figuresOf(steady(10, hole), span);
  expect([putGapMs, getGapMs, groupGapMs]).toEqual([expected, expected, expected]);
});

it("what failed closes no hole, and is counted by kind", () => {
  const failures = [ended("put", 1550, { error: "503" }), ended("get", 1560, { error: "timeout" })];
  const figures = figuresOf([...steady(10, [1500, 1600]), ...failures], span);
  expect(figures).toMatchObject({ putGapMs: 110, getGapMs: 110, putsFailed: 1, getsFailed: 1 });
  expect(figures.errors).toEqual(["503", "timeout"]);
});

it("a group that stands still is found though the others go on", () => {
  const others = steady(10);
  const still = [ended("put", 1000, { group: 1 }), ended("put", 1900, { group: 1 })];
  const reads = steady(10).map((one) => ({ ...one, kind: "get" as const, group: 1 }));
  const { putGapMs, groupGapMs } = figuresOf([...others, ...still, ...reads], span);
  expect([putGapMs, groupGapMs]).toEqual([10, 900]);
});

it("a wait counts from when it should have begun", () => {
  const late = ended("put", 1500, { dueMs: 1100 });
  expect(figuresOf([late], span)).toMatchObject({ p99Ms: 400, mostMs: 400 });
});

it("the keys of a group share a partition, and no two groups do", () => {
  const groups = keyGroups("default", 64, 16);
  const partitions = groups.map((keys) =>
    keys.map((text) => {
      const key = { bucket: "default", key: Buffer.from(text) };
      return partitionOf(tokenOf(key, { hash: "md5", partitions: 64 }), 64);
    }),
  );
  expect(groups.map((keys) => keys.length)).toEqual(Array.from({ length: 16 }, () => 200));
  expect(partitions.map((all) => new Set(all).size)).toEqual(Array.from({ length: 16 }, () => 1));
  expect(new Set(partitions.flat()).size).toBe(16);
});

it("the load asks those it is told to by turns, and sends what it read last", async () => {
  const asked: string[] = [];
  const driver = (id: string): Asked => ({
    get: (key, settle) => {
      asked.push(`${id} get ${key}`);
      setImmediate(settle, { error: undefined });
    },
    put: (key, _value, context, settle) => {
      asked.push(`${id} put ${key} ${context ?? "blind"}`);
      setImmediate(settle, { error: undefined, context: `${key}'` });
    },
    close: () => Promise.resolve(),
  });
  const drivers = new Map(["n1", "n2", "n3"].map((id) => [id, driver(id)]));
  const groups = [["a"], ["b"]];
  const value = Buffer.from("x");
  const load = new OpenLoad({ drivers, operationsPerSecond: 1000, groups, value });
  load.ask(["n1", "n3"]);
  await load.fill();
  expect(asked.splice(0)).toEqual(["n1 put a blind", "n1 put b blind"]);
  load.start();
  while (asked.length < 8) await new Promise((resolve) => setTimeout(resolve, 1));
  await load.stop(10_000);
  expect(asked.slice(0, 8)).toEqual([
    "n1 put a a'",
    "n1 get a",
    "n3 put b b'",
    "n3 get b",
    "n3 put a a'",
    "n3 get a",
    "n1 put b b'",
    "n1 get b",
  ]);
  expect(load.take().outcomes.length).toBe(asked.length);
});
