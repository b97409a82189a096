import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Outcome } from "../src/failover/outcomes.ts";
import { slowDisk } from "../src/tails/slow-disk.ts";
import { tailsOf } from "../src/tails/tails.ts";

const span = { fromMs: 1000, toMs: 2000 };

/** A thousand puts, the n-th of which takes n milliseconds. */
const puts = Array.from({ length: 1000 }, (_, at): Outcome => ({
  kind: "put",
  group: 0,
  dueMs: 1000 + at,
  endedMs: 1000 + at + at + 1,
  error: undefined,
}));

it("the smallest wait that so many did not exceed", () => {
  expect(tailsOf(puts, "put", span)).toEqual({
    operations: 1000,
    failed: 0,
    p50: 500,
    p99: 990,
    p999: 999,
    most: 1000,
  });
});

it("what failed counts as never answered, however quickly it failed", () => {
  const failing = puts.map((put, at) => ({ ...put, error: at < 10 ? "timeout" : undefined }));
  expect(tailsOf(failing, "put", span)).toMatchObject({ failed: 10, p99: 1000, p999: Infinity });
  const failingMore = puts.map((put, at) => ({ ...put, error: at < 11 ? "timeout" : undefined }));
  expect(tailsOf(failingMore, "put", span)).toMatchObject({ failed: 11, p99: Infinity });
});

it("what was due before the span or after it, and what is of another kind, is left out", () => {
  const [first] = puts;
  if (first === undefined) throw new Error("there is a first");
  const others = [
    { ...first, dueMs: 999, endedMs: 1500 },
    { ...first, dueMs: 2000, endedMs: 2500 },
    { ...first, kind: "get" as const, endedMs: 1900 },
  ];
  expect(tailsOf([...puts, ...others], "put", span)).toEqual(tailsOf(puts, "put", span));
  expect(tailsOf(others, "get", span)).toMatchObject({ operations: 1, p50: 900, p999: 900 });
});

it("nothing asked is no figure", () => {
  expect(tailsOf([], "get", span)).toMatchObject({ operations: 0, p99: Number.NaN });
});

it("a process on a slow disk waits for each sync", () => {
  const directory = mkdtempSync(join(tmpdir(), "coterie-slow-disk-"));
  try {
    const within = slowDisk(directory, 60);
    if (typeof within === "string") {
      console.warn(`NOT TESTED: a slow disk: ${within}`);
      return;
    }
    const program = `
      const fs = require("node:fs");
      const file = fs.openSync(process.argv[1], "w");
      const timed = (act) => {
        const from = performance.now();
        act();
        return performance.now() - from;
      };
      fs.writeSync(file, "x");
      console.log(JSON.stringify([
        timed(() => fs.fdatasyncSync(file)), timed(() => fs.fsyncSync(file)),
      ]));`;
    const [first, ...rest] = [...within, process.execPath, "-e", program];
    const { stdout } = spawnSync(first, [...rest, join(directory, "file")], { encoding: "utf8" });
    // A sleep is never shorter than it should be.
    for (const ms of JSON.parse(stdout) as readonly number[]) expect(ms).toBeGreaterThan(59);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
