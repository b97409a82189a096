import { expect, it } from "vitest";
import { type SimulationReport, drawKnobs, simulate } from "../src/index.ts";
import { drain, fastTurns } from "./drain.ts";

const turns = fastTurns();

function faultsOf({ faults }: SimulationReport): number {
  return [...faults.values()].reduce((sum, count) => sum + count, 0);
}

it.each([7, 10, 14])("does the same twice from seed %i, whatever drains it", async (seed) => {
  const first = await simulate({ seed, drain });
  const second = await simulate({ seed, drain, turns });
  expect(second.traceHash).toBe(first.traceHash);
});

it("keeps every promise without faults", async () => {
  const weather = { latencyMsMax: 2, lost: 0, duplicated: 0, late: 0 };
  const report = await simulate({ seed: 1, drain, turns, knobs: { faults: {}, weather } });
  expect(report.violations).toEqual([]);
  expect(faultsOf(report)).toBe(0);
});

it("scans while things go wrong, and demands progress wherever a quorum is well", async () => {
  const weather = { latencyMsMax: 5, lost: 0, duplicated: 50, late: 0 };
  const faults = { kill: 4, pause: 4, cut: 4 };
  const report = await simulate({ seed: 2, drain, turns, knobs: { faults, weather, scans: 3 } });
  expect(report.violations).toEqual([]);
  expect(report.scans).toBeGreaterThan(0);
  expect(report.pages).toBeGreaterThanOrEqual(report.scans);
  expect(report.demanded).toBeGreaterThan(0);
  expect(report.probes).toBeGreaterThanOrEqual(report.demanded);
});

it("goes by the knobs that it is given, and these are plain data", async () => {
  const knobs = JSON.parse(JSON.stringify(drawKnobs(5))) as ReturnType<typeof drawKnobs>;
  const drawn = await simulate({ seed: 5, drain, turns });
  const given = await simulate({ seed: 5, drain, turns, knobs });
  expect(given.traceHash).toBe(drawn.traceHash);
  const fewer = await simulate({ seed: 5, drain, turns, knobs: { ...knobs, operations: 20 } });
  expect(fewer.operations).toBe(20);
});

it.each(Array.from({ length: 24 }, (_, index) => index + 1))(
  "keeps every promise under faults, seed %i",
  async (seed) => {
    const report = await simulate({ seed, drain, turns });
    expect(report.violations).toEqual([]);
    expect(report.operations).toBeGreaterThanOrEqual(300);
    expect(report.knobs.keys).toBeGreaterThanOrEqual(10);
    expect(faultsOf(report)).toBeGreaterThanOrEqual(5);
    expect(report.faults.size).toBeGreaterThanOrEqual(3);
    expect(report.acknowledged).toBeGreaterThan(0);
  },
);
