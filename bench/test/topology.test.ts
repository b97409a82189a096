import { expect, it } from "vitest";
import { planTrials } from "../src/topology/experiments.ts";

it.each([
  [10, false],
  [10, true],
  [30, false],
  [30, true],
])("plans for %i nodes, zones: %s, move hardly more than they must", (nodes, hasZones) => {
  const found = planTrials({ nodes, partitions: 1024, hasZones, rounds: 1 });
  expect(found).toHaveLength(nodes === 10 ? 3 : 4);
  for (const { moved, least, bytesBefore, bytesAfter } of found) {
    expect(least).toBeGreaterThan(0);
    expect(moved).toBeGreaterThanOrEqual(least);
    expect(moved).toBeLessThanOrEqual(least * 1.1);
    expect(bytesAfter).toBeGreaterThan(bytesBefore);
  }
});
