import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseResp } from "../src/drivers/resp-answers.ts";
import type { Measurement } from "../src/measure/measurement.ts";
import { changesSince, changesText, readBaseline } from "../src/report/baseline.ts";
import { writeCurves } from "../src/report/curves.ts";
import { skewText } from "../src/report/skew.ts";
import { byCell } from "../src/report/summary.ts";
import { reportText } from "../src/report/table.ts";
import { withCeiling } from "../src/run/ceilings.ts";
import { cellsOf } from "../src/run/suites.ts";
import { keyChooser } from "../src/workload/key-chooser.ts";
import { KeySpace } from "../src/workload/key-space.ts";
import { seededDraw } from "../src/workload/random.ts";
import { reportOf, round } from "./a-report.ts";

let directory = "";

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "coterie-report-"));
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe("the table", () => {
  it("shows the median of the rounds, their noise, failures, limits and a busy generator", () => {
    const text = reportText(
      reportOf([
        round("http", 1, 5, 90),
        round("http", 1, 7, 100, { errors: { timeout: 3 }, isGeneratorLimited: true }),
        round("http", 1, 9, 110, { errors: { timeout: 4 }, contextReads: 300 }),
      ]),
    );
    const lines = text.split("\n");
    const cells = lines.filter((line) => line.startsWith("http "));
    expect(cells[0]).toMatch(/^http\s+write-only\s+uniform\s+1k\s+1\s+2\.0\s+500\s+600\s+7\.00/u);
    expect(cells[0]).toContain("7 timeout");
    expect(cells[1]).toMatch(/10,000\s+100\.0\s+10\.0\s+50\s+-\s+0\.250\s+1,234/u);
    // From 1e6/110 to 1e6/90 around 1e6/100.
    expect(cells[1]).toMatch(/1\.5\s+10 %$/u);
    expect(text).toContain("! http write-only uniform 1k 1: the generator may be the limit");
    expect(text).toContain("10.0 % of the operations read first");
    expect(text).toContain(
      "has 0.50 of the fdatasync rate of one process alone, 1.25 of that of three at once, " +
        "2.00 of a bare quorum",
    );
    expect(text).toContain("commit abcdef0");
    expect(text).not.toContain("× ours");
  });

  it("compares stores per second of server CPU", () => {
    const text = reportText(reportOf([round("http", 64, 5, 100), round("redis", 64, 1, 25)]));
    const rows = text.split("\n").filter((line) => line.startsWith("write-only uniform 1k B, 64"));
    expect(rows[0]).toMatch(/http\s+10,000\s+1\.00\s+500\s+1\.00\s+5\.00$/u);
    expect(rows[1]).toMatch(/redis\s+40,000\s+4\.00\s+500\s+1\.00\s+1\.00$/u);
  });
});

it("draws a curve for every door into one picture per workload", () => {
  const measurements = [1, 16, 64].flatMap((inFlight) => [
    round("http", inFlight, inFlight, 100),
    round("redis", inFlight, 1, 20),
  ]);
  const files = writeCurves(reportOf(measurements), join(directory, "svg"));
  expect(files).toEqual([join(directory, "svg", "write-only-uniform-1k.svg")]);
  const svg = readFileSync(files[0] ?? "", "utf8");
  // Throughput, two latencies and cost for each door, with a dot for each of three loads.
  expect(svg.match(/<polyline/gu)).toHaveLength(8);
  expect(svg.match(/<circle/gu)).toHaveLength(24);
  expect(svg).not.toMatch(/NaN|undefined|Infinity/u);
  expect(svg.match(/<g /gu)?.length).toBe(svg.match(/<\/g>/gu)?.length);
  expect(svg).toContain("commit abcdef0");
});

describe("a comparison with an earlier run", () => {
  const verdict = (before: readonly number[], after: readonly number[]): string | undefined => {
    const rounds = (costs: readonly number[]) => costs.map((cost) => round("http", 1, 5, cost));
    const changes = changesSince(reportOf(rounds(before)), reportOf(rounds(after)));
    return changes.find(({ figure }) => figure === "ops/CPU-s")?.verdict;
  };

  it.each([
    ["all rounds are dearer than any was", [100, 104], [120, 125], "worse"],
    ["all rounds are cheaper", [120, 125], [100, 104], "better"],
    ["rounds overlap", [100, 130], [125, 160], "same"],
    ["the difference is below what is called one", [100, 101], [102, 103], "same"],
    ["one round each differs by little", [100], [120], "same"],
    ["one round each differs by much", [100], [140], "worse"],
  ] as const)("says so when %s", (_, before, after, expected) => {
    expect(verdict(before, after)).toBe(expected);
  });

  it("reads what --json wrote, and nothing else", () => {
    const file = join(directory, "report.json");
    const report = reportOf([round("http", 1, 5, 100)]);
    writeFileSync(file, JSON.stringify(report));
    expect(readBaseline(file)).toEqual(report);
    const text = changesText(report, changesSince(report, reportOf([round("http", 1, 50, 200)])));
    expect(text).toContain("abcdef0");
    expect(text).toMatch(/ops\/CPU-s\s+0\.50\s+worse !/u);
    writeFileSync(file, JSON.stringify({ version: 0 }));
    expect(() => readBaseline(file)).toThrow("no report of this version");
  });

  it("compares only what both have", () => {
    const changes = changesSince(
      reportOf([round("http", 1, 5, 100)]),
      reportOf([round("http", 2, 5, 100)]),
    );
    expect(changes).toEqual([]);
  });
});

it("calls a generator near its ceiling the limit", () => {
  const ceilings = reportOf([]).ceilings;
  const at = (rate: number): boolean =>
    withCeiling(round("http", 64, 1, 10, { operationsPerSecond: rate }), ceilings)
      .isGeneratorLimited;
  expect([at(60_000), at(70_000)]).toEqual([false, true]);
});

it("measures what a suite says, or what is asked for instead", () => {
  const compared = cellsOf("compare", {});
  expect(new Set(compared.map(({ driver }) => driver)).size).toBeGreaterThan(3);
  const chosen = cellsOf("compare", {
    drivers: ["http", "nats"],
    workloads: ["a", "scan"],
    distributions: ["uniform", "latest"],
    rates: [100],
  });
  // NATS cannot scan.
  expect(chosen).toHaveLength(6);
  expect(chosen.every(({ pressure }) => pressure.kind === "open")).toBe(true);
});

it("says what uneven keys cost, where even ones were measured with the same load", () => {
  const even = round("pipe", 64, 1, 100, { operationsPerSecond: 1000 });
  const uneven = (distribution: "zipfian" | "single", inFlight: number): Measurement => {
    const each = round("pipe", inFlight, 1, 200, { operationsPerSecond: 600 });
    return { ...each, cell: { ...each.cell, distribution } };
  };
  const measured = [even, uneven("zipfian", 64), uneven("single", 64), uneven("single", 1)];
  const text = skewText(byCell(measured));
  expect(text.split("\n").slice(1)).toEqual([
    expect.stringMatching(/^pipe write-only 1k B, 64 +zipfian +0\.60 +0\.50$/u),
    expect.stringMatching(/^pipe write-only 1k B, 64 +single +0\.60 +0\.50$/u),
  ]);
  expect(skewText(byCell([uneven("single", 64)]))).toBe("");
});

it("a suite may say which keys are asked for", () => {
  const cells = cellsOf("hot-keys", { drivers: ["pipe"] });
  expect(cells.map(({ distribution }) => distribution)).toEqual([
    "uniform",
    "zipfian",
    "single",
    "uniform",
    "zipfian",
    "single",
  ]);
  expect(keyChooser("single", new KeySpace("k", 9), seededDraw(1))()).toBe(0);
});

describe("an answer of Redis", () => {
  it.each([
    ["a text and a number", "+OK\r\n:1\r\n", 2],
    ["bytes", "$5\r\nhe\r\no\r\n", 1],
    ["nothing", "$-1\r\n", 1],
    ["a page of keys", "*2\r\n$2\r\n17\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n", 1],
    ["an error", "-ERR no\r\n", 1],
  ])("with %s is complete with its last byte, not before", (_, text, count) => {
    const bytes = Buffer.from(text);
    expect(parseResp(bytes, count)?.length).toBe(bytes.length);
    for (let end = 0; end < bytes.length; end += 1) {
      expect(parseResp(bytes.subarray(0, end), count)).toBeUndefined();
    }
  });

  it("names the cursor and the keys of a page", () => {
    const bytes = Buffer.from("*2\r\n$2\r\n17\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n");
    const [cursor, keys] = parseResp(bytes, 1)?.values[0]?.items ?? [];
    expect(cursor?.text).toBe("17");
    expect(keys?.items.map(({ text }) => text)).toEqual(["a", "b"]);
  });
});
