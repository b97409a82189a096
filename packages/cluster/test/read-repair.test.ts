import { describe, expect, it } from "vitest";
import { SmallCluster, successful } from "./small-cluster.ts";

/** A cluster in which n3 has missed the last write of k. */
async function withStaleReplica(): Promise<SmallCluster> {
  const small = await SmallCluster.start();
  const { context } = successful(await small.put(1, "k", "old", { w: 3 }));
  small.cluster.network.partition(["n3"] as never, ["n1", "n2"] as never, "refusing");
  successful(await small.put(1, "k", "new", { context }));
  await small.pass(2000);
  small.cluster.network.heal();
  expect(await small.own(3, "k")).toEqual(["old"]);
  return small;
}

describe("read repair", () => {
  it("brings a stale replica up to date before the read that met it answers", async () => {
    const small = await withStaleReplica();
    // n3 asks itself first.
    expect(await small.read(3, "k")).toEqual(["new"]);
    await small.pass(100);
    expect(await small.own(3, "k")).toEqual(["new"]);
    expect(small.at(3).statistics().readRepairs).toBeGreaterThan(0);
  });

  it("makes all three copies equal after a read at r = 3", async () => {
    const small = await withStaleReplica();
    expect(await small.read(1, "k", { r: 3 })).toEqual(["new"]);
    await small.pass(100);
    const copies = [await small.copy(1, "k"), await small.copy(2, "k"), await small.copy(3, "k")];
    const digests = copies.map((copy) => (copy.state === "present" ? copy.digest : copy.state));
    expect(new Set(digests).size).toBe(1);
  });

  it("carries a write that only one replica has to n - r + 1 before a read shows it", async () => {
    const small = await SmallCluster.start();
    small.cluster.network.partition(["n1"] as never, ["n2", "n3"] as never, "refusing");
    successful(await small.put(1, "k", "one", { w: 1 }));
    small.cluster.network.heal();
    expect(await small.read(1, "k")).toEqual(["one"]);
    const held = [await small.own(2, "k"), await small.own(3, "k")];
    expect(held.filter((values) => values !== "absent").length).toBeGreaterThanOrEqual(1);
    for (const at of [1, 2, 3]) expect(await small.read(at, "k")).toEqual(["one"]);
  });

  it("refuses the read when what differs cannot be repaired", async () => {
    const small = await SmallCluster.start();
    small.cluster.network.partition(["n1"] as never, ["n2", "n3"] as never, "refusing");
    successful(await small.put(1, "k", "one", { w: 1 }));
    small.cluster.network.heal();
    // n2 and n3 answer reads, but their disks store nothing in time.
    small.cluster.disk("n2" as never).slowdown = 100_000;
    small.cluster.disk("n3" as never).slowdown = 100_000;
    expect(await small.read(1, "k", { strict: true, timeoutMs: 300 })).toBe("quorum-not-met");
  });

  it("merges siblings that each replica has alone", async () => {
    const small = await SmallCluster.start();
    small.cluster.network.partition(["n1"] as never, ["n2", "n3"] as never, "refusing");
    small.cluster.network.partition(["n2"] as never, ["n3"] as never, "refusing");
    for (const at of [1, 2, 3]) successful(await small.put(at, "k", `v${at}`, { w: 1 }));
    small.cluster.network.heal();
    expect(await small.read(2, "k", { r: 3 })).toEqual(["v1", "v2", "v3"]);
    await small.pass(100);
    for (const at of [1, 2, 3]) expect(await small.own(at, "k")).toEqual(["v1", "v2", "v3"]);
  });
});
