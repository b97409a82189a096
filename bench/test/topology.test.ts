import { expect, it } from "vitest";
import { converge } from "../src/topology/convergence.ts";
import { joinOf, planTrials } from "../src/topology/experiments.ts";

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

const gigabit = { seed: 1, bytesPerMs: 125_000, readMs: 20 };

it("all members go by a plan soon after its commit, whatever is lost", async () => {
  const versions = joinOf({ nodes: 12, partitions: 1024, hasZones: true });
  const calm = await converge({ ...versions, lossPerThousand: 0, ...gigabit });
  expect(calm.chosenMs).toBeGreaterThan(4 * gigabit.readMs);
  expect(calm.halfMs).toBeGreaterThan(calm.chosenMs);
  expect(calm.allMs).toBeLessThan(1000);
  const rough = await converge({ ...versions, lossPerThousand: 200, ...gigabit });
  // Who was not reached is told again a second later.
  expect(rough.allMs).toBeGreaterThan(1000);
  expect(rough.allMs).toBeLessThan(60_000);
  expect(rough.bytes).toBeGreaterThan(calm.bytes);
});

it("a slower network takes longer", async () => {
  const versions = joinOf({ nodes: 12, partitions: 1024, hasZones: true });
  const fast = await converge({ ...versions, lossPerThousand: 0, ...gigabit });
  const slow = await converge({ ...versions, lossPerThousand: 0, ...gigabit, bytesPerMs: 1250 });
  expect(slow.bytes).toBe(fast.bytes);
  expect(slow.allMs).toBeGreaterThan(fast.allMs);
});
