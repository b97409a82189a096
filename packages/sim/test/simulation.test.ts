import { expect, it } from "vitest";
import { simulate } from "../src/index.ts";
import { drain } from "./drain.ts";

it("does the same twice from one seed", async () => {
  const [first, second] = [await simulate({ seed: 7, drain }), await simulate({ seed: 7, drain })];
  expect(second.traceHash).toBe(first.traceHash);
});

it("keeps every promise without faults", async () => {
  const report = await simulate({ seed: 1, drain, faults: false });
  expect(report.violations).toEqual([]);
  expect(report.acknowledged).toBe(report.writes);
});

it.each(Array.from({ length: 60 }, (_, index) => index + 1))(
  "keeps every promise under faults, seed %i",
  async (seed) => {
    const report = await simulate({ seed, drain });
    expect(report.violations).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(0);
  },
);
