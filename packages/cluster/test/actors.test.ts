import { describe, expect, it } from "vitest";
import { SmallCluster, node, successful } from "./small-cluster.ts";

/** The actors in the clock of a node's own copy. */
async function actorsOf(small: SmallCluster, at: number, key: string): Promise<readonly string[]> {
  const copy = await small.copy(at, key);
  if (copy.state !== "present") throw new Error(`n${at} holds ${copy.state}`);
  return copy.clock.map((entry) => entry.split(":")[0] ?? "");
}

describe("a node's actor", () => {
  it("stays the same after a clean stop", async () => {
    const small = await SmallCluster.start();
    successful(await small.put(1, "k", "one"));
    await small.stop(1);
    await small.restart(1);
    successful(await small.put(1, "k", "two"));
    expect(await small.read(1, "k", { r: 3 })).toEqual(["one", "two"]);
    expect((await actorsOf(small, 1, "k")).length).toBe(1);
  });

  it.each(["power", "kill"] as const)("is new after a crash (%s)", async (kind) => {
    const small = await SmallCluster.start();
    successful(await small.put(1, "k", "one", { w: 3 }));
    small.cluster.crash(node(1), kind);
    await small.restart(1);
    successful(await small.put(1, "k", "two"));
    expect(await small.read(1, "k", { r: 3 })).toEqual(["one", "two"]);
    expect(new Set(await actorsOf(small, 1, "k")).size).toBe(2);
  });

  it("is new after a second stop that was not clean", async () => {
    const small = await SmallCluster.start();
    await small.stop(1);
    await small.restart(1);
    successful(await small.put(1, "k", "one", { w: 3 }));
    small.crash(1);
    await small.restart(1);
    successful(await small.put(1, "k", "two"));
    expect(new Set(await actorsOf(small, 1, "k")).size).toBe(2);
  });

  it.each(Array.from({ length: 10 }, (_, seed) => seed))(
    "loses nothing when its directory is rolled back, seed %i",
    async (seed) => {
      const small = await SmallCluster.start({ seed });
      successful(await small.put(1, "k", "one", { w: 3 }));
      const before = small.cluster.disk(node(1)).image();
      for (const value of ["two", "three"]) {
        successful(await small.put(1, "k", value, { w: 3 }));
        await small.pass(50);
      }
      const crashed = small.cluster.disk(node(1));
      small.crash(1);
      crashed.restore(before);
      await small.restart(1);
      // Context-free, and before n1 has heard of what it forgot.
      for (const value of ["four", "five"]) successful(await small.put(1, "k", value));
      await small.pass(100);
      const expected = ["one", "two", "three", "four", "five"].toSorted();
      for (const at of [1, 2, 3]) expect(await small.read(at, "k", { r: 3 })).toEqual(expected);
    },
  );

  /** Rolls n1 back to a clean stop before the values two and three. */
  async function rolledBackToCleanStop(): Promise<SmallCluster> {
    const small = await SmallCluster.start();
    successful(await small.put(1, "k", "one", { w: 3 }));
    await small.until(small.at(1).stop());
    const before = small.cluster.disk(node(1)).image();
    small.cluster.crash(node(1), "kill");
    await small.restart(1);
    for (const value of ["two", "three"]) successful(await small.put(1, "k", value, { w: 3 }));
    const crashed = small.cluster.disk(node(1));
    small.crash(1);
    crashed.restore(before);
    await small.restart(1);
    expect(await small.own(1, "k")).toEqual(["one"]);
    return small;
  }

  it("is new once a read shows that the directory was rolled back to a clean stop", async () => {
    const small = await rolledBackToCleanStop();
    expect(await small.read(1, "k")).toEqual(["one", "three", "two"]);
    for (const value of ["four", "five"]) successful(await small.put(1, "k", value));
    await small.pass(100);
    const expected = ["one", "two", "three", "four", "five"].toSorted();
    expect(await small.read(2, "k", { r: 3 })).toEqual(expected);
  });

  it("is new once a context shows that the directory was rolled back", async () => {
    const small = await rolledBackToCleanStop();
    const { context } = successful(await small.get(2, "k"));
    expect(await small.put(1, "k", "four", { context })).toMatchObject({
      code: "bad-context",
      outcome: "refused",
    });
    successful(await small.delete(1, "k", { context }));
    successful(await small.put(1, "k", "five"));
    await small.pass(100);
    for (const at of [1, 2, 3]) expect(await small.own(at, "k")).toEqual(["five"]);
  });
});
