import { describe, expect, it } from "vitest";
import { SmallCluster, successful } from "../small-cluster.ts";

/** A cluster whose n1 has read a key that all call hot, and n2 has then replaced its value. */
async function replaced(hotReadsPerSecond: number, r = 2): Promise<SmallCluster> {
  const small = await SmallCluster.start({ tuning: { hotReadsPerSecond } });
  successful(await small.put(1, "k", "old", { w: 3 }));
  const read = successful(await small.get(1, "k", { r, maxStaleMs: 1000 }));
  successful(await small.put(2, "k", "new", { context: read.context, w: 3 }));
  return small;
}

describe("a get that takes what was true a while ago", () => {
  it("is answered with what a read has found that began no longer ago", async () => {
    const small = await replaced(0);
    expect(await small.read(1, "k", { maxStaleMs: 1000 })).toEqual(["old"]);
    expect(small.at(1).statistics().getsStale).toBe(1);
    await small.pass(1000);
    expect(await small.read(1, "k", { maxStaleMs: 1000 })).toEqual(["new"]);
    expect(small.at(1).statistics().getsStale).toBe(1);
  });

  it("goes by what it allows itself, and by no other get's choice", async () => {
    const small = await replaced(0);
    await small.pass(100);
    expect(await small.read(1, "k", { maxStaleMs: 50 })).toEqual(["new"]);
    const again = await replaced(0);
    expect(await again.read(1, "k")).toEqual(["new"]);
    expect(await again.read(1, "k", { maxStaleMs: 0 })).toEqual(["new"]);
    expect(again.at(1).statistics().getsStale).toBe(0);
  });

  it("needs a read of as many replicas", async () => {
    const small = await replaced(0, 2);
    expect(await small.read(1, "k", { r: 3, maxStaleMs: 1000 })).toEqual(["new"]);
    const other = await replaced(0, 3);
    expect(await other.read(1, "k", { r: 1, maxStaleMs: 1000 })).toEqual(["old"]);
    expect(await other.read(1, "k", { pr: 1, maxStaleMs: 1000 })).toEqual(["new"]);
  });

  it("asks the replicas of a key that is not hot", async () => {
    const small = await replaced(10);
    expect(await small.read(1, "k", { maxStaleMs: 1000 })).toEqual(["new"]);
    expect(small.at(1).hotKeys()?.recent.bytes).toBe(0);
  });

  it("brings a context that covers what it shows, and no more", async () => {
    const small = await replaced(0);
    const { context } = successful(await small.get(1, "k", { maxStaleMs: 1000 }));
    successful(await small.put(1, "k", "newest", { context }));
    expect(await small.read(1, "k")).toEqual(["new", "newest"]);
  });

  it.each([-1, 0.5, 60_001, Number.NaN])("is refused where it allows %d ms", async (maxStaleMs) => {
    const small = await SmallCluster.start();
    expect(await small.get(1, "k", { maxStaleMs })).toMatchObject({
      ok: false,
      code: "bad-request",
      outcome: "refused",
    });
  });
});
