import { describe, expect, it } from "vitest";
import { SmallCluster, node, successful } from "./small-cluster.ts";

describe("a failed fsync", () => {
  it.each([1, 2, 3])("ends its process and loses nothing acknowledged, at n%i", async (at) => {
    const small = await SmallCluster.start();
    for (const key of ["a", "b", "c"]) successful(await small.put(1, key, "before", { w: 3 }));
    small.cluster.disk(node(at)).inject({ operation: "sync", error: "io" });
    const begun = ["a", "b", "c"].map((key) =>
      small.cluster.ask(node(1), () => small.begin(1, key, "during")),
    );
    const acknowledged: string[] = [];
    for (const [index, one] of begun.entries()) {
      const outcome = await small.until(one);
      if (outcome?.ok === true) acknowledged.push(["a", "b", "c"][index] ?? "");
    }
    await small.pass(100);
    expect(small.cluster.isUp(node(at))).toBe(false);
    const other = (at % 3) + 1;
    for (const key of acknowledged) expect(await small.read(other, key)).toContain("during");
    if (at !== 1) expect(acknowledged).toEqual(["a", "b", "c"]);
    await small.restart(at);
    // What the failed sync tore may read as damage, and is refilled from the others.
    await small.pass(3000);
    for (const key of ["a", "b", "c"]) {
      const values = await small.read(at, key, { r: 3 });
      expect(values).toContain("before");
      if (acknowledged.includes(key)) expect(values).toContain("during");
    }
    successful(await small.put(at, "d", "after", { w: 3 }));
  });
});

const large = "x".repeat(4000);

/** Fills the disks of these nodes, and writes until no put succeeds. */
async function fill(small: SmallCluster, numbers: readonly number[]): Promise<readonly string[]> {
  for (const number of numbers) small.cluster.disk(node(number)).capacityBytes = 300_000;
  const written: string[] = [];
  for (let index = 0; index < 200; index += 1) {
    const outcome = await small.put(1, `fill-${index}`, large, { timeoutMs: 300 });
    if (!outcome.ok) return written;
    written.push(`fill-${index}`);
  }
  throw new Error("the disks never ran full");
}

describe("full disks", () => {
  it("refuse puts, serve reads, let deletes through, and recover without a restart", async () => {
    const small = await SmallCluster.start();
    const written = await fill(small, [1, 2, 3]);
    await small.pass(100);
    expect(written.length).toBeGreaterThan(10);
    expect(await small.put(1, "k", large)).toMatchObject({ code: "disk-full", outcome: "refused" });
    for (const at of [1, 2, 3]) {
      expect(small.at(at).missing()).toEqual([]);
      expect(await small.read(at, "fill-0")).toEqual([large]);
    }
    successful(await small.delete(2, "fill-1"));
    expect(await small.read(3, "fill-1")).toEqual([]);
    for (const at of [1, 2, 3]) small.cluster.disk(node(at)).capacityBytes = 10_000_000;
    await small.pass(3000);
    successful(await small.put(1, "k", large, { w: 3 }));
    expect(await small.read(2, "fill-2")).toEqual([large]);
    expect([1, 2, 3].every((at) => small.cluster.isUp(node(at)))).toBe(true);
  });

  it("of one node let puts succeed at w = 2, whoever is asked", async () => {
    const small = await SmallCluster.start();
    small.cluster.disk(node(1)).capacityBytes = 200_000;
    for (let index = 0; index < 80; index += 1) {
      successful(await small.put(1, `fill-${index}`, large));
    }
    expect(small.at(1).statistics().store?.isDiskFull).toBe(true);
    expect(await small.read(1, "fill-79")).toEqual([large]);
  });

  it("is named as the reason when there is no other node", async () => {
    const small = await SmallCluster.start({ nodes: 1 });
    await fill(small, [1]);
    expect(await small.put(1, "k", large)).toMatchObject({ code: "disk-full", outcome: "refused" });
    expect(await small.read(1, "fill-0")).toEqual([large]);
  });

  it("of two nodes refuse puts at w = 2 as disk-full", async () => {
    const small = await SmallCluster.start();
    await fill(small, [2, 3]);
    await small.pass(100);
    for (const at of [1, 2, 3]) {
      expect(await small.put(at, `k${at}`, large)).toMatchObject({ ok: false, code: "disk-full" });
    }
    expect(await small.read(2, "fill-0")).toEqual([large]);
  });
});
