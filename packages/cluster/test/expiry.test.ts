import { type BucketSettings, type WriteId, defaultBuckets, forever } from "@coterie/core";
import { describe, expect, it } from "vitest";
import { SmallCluster, address, node, successful } from "./small-cluster.ts";

const sweptMs = 70_000;
const writeId = "000102030405060708090a0b0c0d0e0f" as WriteId;

/** How many siblings each node's own copy holds, whatever a read shows of them. */
async function held(small: SmallCluster, key: string, bucket = "default"): Promise<unknown> {
  const copies: (number | string)[] = [];
  for (const at of [1, 2, 3]) {
    const copy = await small.copy(at, key, { bucket });
    copies.push(copy.state === "present" ? copy.siblings.length : copy.state);
  }
  return copies;
}

describe("a value with a time to live", () => {
  it("is read at every node until then, and at none after it", async () => {
    const small = await SmallCluster.start();
    successful(await small.put(1, "k", "v", { ttlMs: 5000 }));
    await small.pass(4000);
    for (const at of [1, 2, 3]) expect(await small.read(at, "k")).toEqual(["v"]);
    await small.pass(1000);
    for (const at of [1, 2, 3]) expect(await small.read(at, "k")).toEqual([]);
  });

  it("says when it expires, and so does a put that returns it", async () => {
    const small = await SmallCluster.start();
    const wrote = successful(await small.put(1, "k", "v", { ttlMs: 5000, returnBody: true }));
    const expiresAtMs = wrote.body?.[0]?.expiresAtMs ?? 0;
    expect(expiresAtMs).toBeGreaterThan(1_800_000_000_000);
    const read = successful(await small.get(2, "k"));
    expect(read.siblings.map((sibling) => sibling.expiresAtMs)).toEqual([expiresAtMs]);
    successful(await small.put(1, "k", "w", { expiresAtMs, context: read.context }));
    const again = successful(await small.get(3, "k"));
    expect(again.siblings.map((sibling) => sibling.expiresAtMs)).toEqual([expiresAtMs]);
  });

  it("may have a deadline that is long past: then nobody reads it", async () => {
    const small = await SmallCluster.start();
    successful(await small.put(1, "k", "v", { expiresAtMs: 1 }));
    expect(await small.read(2, "k")).toEqual([]);
  });

  it("leaves those beside it alone", async () => {
    const small = await SmallCluster.start();
    await small.put(1, "k", "goes", { ttlMs: 1000 });
    await small.put(2, "k", "stays");
    expect(await small.read(3, "k")).toEqual(["goes", "stays"]);
    await small.pass(sweptMs);
    for (const at of [1, 2, 3]) expect(await small.read(at, "k")).toEqual(["stays"]);
  });

  it("is covered by the context of a read that no longer finds it", async () => {
    const small = await SmallCluster.start();
    await small.put(1, "k", "old", { ttlMs: 1000 });
    await small.pass(2000);
    const { context } = successful(await small.get(2, "k"));
    expect(context).toBeDefined();
    const wrote = successful(await small.put(3, "k", "new", { context }));
    expect(wrote.siblings).toBe(1);
    expect(await held(small, "k")).toEqual([1, 1, 1]);
  });

  it("makes room for the next one that is put without having read it", async () => {
    const small = await SmallCluster.start();
    await small.put(1, "k", "old", { ttlMs: 1000 });
    await small.pass(2000);
    const wrote = successful(await small.put(1, "k", "new"));
    expect(wrote.siblings).toBe(1);
    expect(wrote.context).toBeDefined();
    await small.pass(100);
    expect(await held(small, "k")).toEqual([1, 1, 1]);
    expect(small.at(1).statistics().expiredSiblings).toBe(1);
  });

  it("counts as absent for a create", async () => {
    const small = await SmallCluster.start();
    await small.put(1, "k", "old", { ttlMs: 1000 });
    expect(await small.put(2, "k", "new", { ifAbsent: true })).toMatchObject({
      code: "precondition-failed",
    });
    await small.pass(1500);
    expect(await small.put(2, "k", "new", { ifAbsent: true })).toMatchObject({ ok: true });
  });

  it("is listed by a scan until then", async () => {
    const small = await SmallCluster.start();
    await small.put(1, "k", "v", { ttlMs: 1000 });
    const page = { limit: 10, cursor: undefined, prefix: undefined };
    const keys = async (tombstones: boolean): Promise<number> => {
      const scanned = await small.until(small.at(2).scan("default", { ...page, tombstones }));
      return successful(scanned).items.length;
    };
    expect(await keys(false)).toBe(1);
    await small.pass(1500);
    expect(await keys(false)).toBe(0);
    expect(await keys(true)).toBe(1);
  });

  it("keeps its lifetime when the put is passed on to a primary", async () => {
    const small = await SmallCluster.start({ nodes: 5 });
    const { others } = small.owners("k");
    successful(await small.put(others[0] as number, "k", "v", { ttlMs: 1000 }));
    expect(await small.read(1, "k")).toEqual(["v"]);
    await small.pass(1500);
    expect(await small.read(1, "k")).toEqual([]);
  });

  it.each([
    ["of nothing", { ttlMs: 0 }],
    ["of less", { ttlMs: -1 }],
    ["of half a millisecond", { ttlMs: 0.5 }],
    ["of centuries", { ttlMs: 1e14 }],
    ["and a deadline too", { ttlMs: 5, expiresAtMs: 5 }],
    ["without end, and a deadline", { ttlMs: forever, expiresAtMs: 5 }],
    ["without beginning", { ttlMs: -forever }],
    ["until no time at all", { expiresAtMs: Number.NaN }],
  ])("%s is refused", async (_, lifetime) => {
    const small = await SmallCluster.start();
    expect(await small.put(1, "k", "v", lifetime)).toMatchObject({
      code: "bad-request",
      outcome: "refused",
    });
  });
});

describe("the sweep", () => {
  it("drops what has expired at every replica, and keeps the clock", async () => {
    const small = await SmallCluster.start();
    await small.put(1, "k", "v".repeat(5000), { ttlMs: 1000, writeId });
    await small.pass(sweptMs);
    expect(await held(small, "k")).toEqual([0, 0, 0]);
    const [first, ...rest] = await Promise.all([1, 2, 3].map((at) => small.copy(at, "k")));
    expect(first).toMatchObject({ state: "present", clock: [expect.any(String)] });
    // All replicas hold the same bytes again: nothing is left to repair.
    for (const copy of rest) expect(copy).toEqual(first);
    expect(small.at(1).statistics().expiredSiblings).toBe(1);
  });

  it("keeps what has expired for a minute, so that no read has to repair it", async () => {
    const small = await SmallCluster.start();
    await small.put(1, "k", "v", { ttlMs: 1000 });
    await small.pass(50_000);
    expect(await held(small, "k")).toEqual([1, 1, 1]);
  });

  it("leaves a retry of what it dropped without effect", async () => {
    const small = await SmallCluster.start();
    const retry = { ttlMs: 1000, writeId };
    await small.put(1, "k", "v", retry);
    await small.pass(sweptMs);
    successful(await small.put(2, "k", "v", retry));
    expect(await held(small, "k")).toEqual([0, 0, 0]);
  });

  it("is not undone by a replica that was away, nor by one whose clock is slow", async () => {
    const small = await SmallCluster.start();
    small.cluster.setWall(node(2), -600_000);
    await small.put(1, "k", "v", { ttlMs: 1000, w: 3 });
    small.crash(3);
    await small.pass(sweptMs);
    await small.restart(3);
    expect(await held(small, "k")).toEqual([0, 1, 1]);
    await small.pass(20);
    // Who reads by the slow clock may see it, as long as nobody has said that it is gone.
    expect(await small.read(2, "k", { r: 3 })).toEqual([]);
    await small.pass(1000);
    expect(await held(small, "k")).toEqual([0, 0, 0]);
    const { readRepairs } = small.at(1).statistics();
    expect(await small.read(1, "k", { r: 3 })).toEqual([]);
    expect(small.at(1).statistics().readRepairs).toBe(readRepairs);
  });

  it("does not take a newer value, whatever the clocks say", async () => {
    const small = await SmallCluster.start();
    small.cluster.setWall(node(3), 3_600_000);
    await small.put(1, "k", "old", { ttlMs: 1000 });
    const { context } = successful(await small.get(1, "k"));
    await small.put(2, "k", "new", { context });
    await small.pass(sweptMs);
    for (const at of [1, 2, 3]) expect(await small.read(at, "k", { r: 3 })).toEqual(["new"]);
  });

  it("goes on after a crash, also from a checkpoint", async () => {
    const small = await SmallCluster.start();
    for (let at = 0; at < 150; at += 1) await small.put(1, `k${at}`, "v", { ttlMs: 30_000 });
    small.crash(1);
    await small.stop(2);
    await small.restart(1);
    await small.restart(2);
    await small.pass(120_000);
    const swept = [1, 2, 3].map((at) => small.at(at).statistics().expiredSiblings);
    expect(swept).toEqual([150, 150, 150]);
    expect(await held(small, "k149")).toEqual([0, 0, 0]);
  });

  it("lets compaction take the bytes back", async () => {
    const small = await SmallCluster.start({ nodes: 1, partitions: 1 });
    for (let at = 0; at < 60; at += 1) {
      await small.put(1, `k${at}`, "v".repeat(8000), { ttlMs: 1000 });
    }
    const before = small.at(1).statistics().store;
    expect(before?.bytesLive).toBeGreaterThan(480_000);
    await small.pass(sweptMs + 30_000);
    const after = small.at(1).statistics().store;
    expect(after?.bytesLive).toBeLessThan(10_000);
    expect(after?.bytesOnDisk).toBeLessThan((before?.bytesOnDisk ?? 0) / 2);
  });
});

describe("in an lww bucket", () => {
  const lww = { bucket: "redis" };

  it("the latest hides what it won over, also when it has expired and was swept", async () => {
    const small = await SmallCluster.start();
    // Written at n3 while it is cut off, and merged by nobody yet.
    small.cluster.network.partition([address(3)], [address(1), address(2)]);
    await small.put(3, "k", "older", { ...lww, w: 1 });
    await small.pass(10);
    successful(await small.put(1, "k", "latest", { ...lww, ttlMs: 1000 }));
    await small.pass(sweptMs);
    expect(await held(small, "k", "redis")).toEqual([1, 1, 1]);
    small.cluster.network.heal();
    await small.pass(1000);
    for (const at of [1, 3, 2]) expect(await small.read(at, "k", { ...lww, r: 3 })).toEqual([]);
  });

  it("a put after it covers what is left of it", async () => {
    const small = await SmallCluster.start();
    await small.put(1, "k", "v", { ...lww, ttlMs: 1000 });
    await small.pass(sweptMs);
    const copy = await small.copy(1, "k", lww);
    expect(copy).toMatchObject({ siblings: [{ expiresAtMs: 0 }] });
    expect(successful(await small.put(2, "k", "w", lww)).siblings).toBe(1);
    expect(await small.read(3, "k", lww)).toEqual(["w"]);
    expect(await held(small, "k", "redis")).toEqual([1, 1, 1]);
  });

  it("a put over one that has expired leaves a retry of it without effect", async () => {
    const small = await SmallCluster.start();
    await small.put(1, "k", "v", { ...lww, ttlMs: 1000, writeId });
    await small.pass(1500);
    await small.put(1, "k", "w", lww);
    successful(await small.put(1, "k", "v", { ...lww, ttlMs: 1000, writeId }));
    expect(await small.read(2, "k", lww)).toEqual(["w"]);
  });
});

describe("a bucket with a time to live", () => {
  const buckets: readonly BucketSettings[] = defaultBuckets(3).map((bucket) => ({
    ...bucket,
    ttlMs: 10_000,
  }));

  it("gives it to what is put without one", async () => {
    const small = await SmallCluster.start({ buckets });
    await small.put(1, "k", "v");
    await small.put(1, "long", "v", { ttlMs: 60_000 });
    await small.pass(9000);
    expect(await small.read(2, "k")).toEqual(["v"]);
    await small.pass(1500);
    expect(await small.read(2, "k")).toEqual([]);
    expect(await small.read(2, "long")).toEqual(["v"]);
  });

  it("gives none to what is to stay, also when the put is passed on", async () => {
    const small = await SmallCluster.start({ buckets, nodes: 5 });
    const { owners, others } = small.owners("k");
    for (const at of [owners[0] as number, others[0] as number]) {
      successful(await small.put(at, "k", `by n${at}`, { ttlMs: forever }));
    }
    await small.pass(sweptMs);
    const read = successful(await small.get(1, "k"));
    expect(read.siblings.map(({ expiresAtMs }) => expiresAtMs)).toEqual([undefined, undefined]);
  });
});
