import { utf8, wholeBucket } from "@coterie/core";
import { describe, expect, it } from "vitest";
import { SmallCluster, address, node } from "../small-cluster.ts";
import { hint, tell } from "../hints/tell.ts";

const graceMs = 400;
const roundMs = 1500;
const key = { bucket: "default", key: utf8("k") };

function reaping(options: Parameters<typeof SmallCluster.start>[0] = {}): Promise<SmallCluster> {
  return SmallCluster.start({ reaping: { graceMs }, ...options });
}

/** Tombstones in each node's store, and what each holds of `k`. */
async function left(small: SmallCluster): Promise<readonly unknown[]> {
  const held: unknown[] = [];
  for (const number of [1, 2, 3]) {
    const tombstones = small.at(number).reaping()?.tombstones;
    held.push([tombstones, await small.own(number, "k")]);
  }
  return held;
}

const nothing = Array.from({ length: 3 }, () => [0, "absent"]);
const tombstones = Array.from({ length: 3 }, () => [1, []]);

async function deleted(small: SmallCluster): Promise<void> {
  await small.put(1, "k", "old", { w: 3 });
  expect(await small.delete(2, "k", { w: 3, r: 3 })).toMatchObject({ ok: true });
  expect(await left(small)).toEqual(tombstones);
}

describe("a tombstone that every owner holds", () => {
  it("is forgotten by all once it has been left alone for long enough", async () => {
    const small = await reaping();
    await deleted(small);
    await small.pass(roundMs);
    expect(await left(small)).toEqual(nothing);
    const reaped = [1, 2, 3].map((number) => small.at(number).reaping()?.reaped);
    expect(reaped).toEqual([1, 1, 1]);
  });

  it("stays where reaping is off", async () => {
    const small = await SmallCluster.start();
    await deleted(small);
    await small.pass(600_000);
    expect(await left(small)).toEqual(tombstones);
  });

  it("is not back after a restart, with a checkpoint or without", async () => {
    const small = await reaping();
    await deleted(small);
    await small.pass(roundMs);
    for (const number of [1, 2, 3]) {
      await small.stop(number);
      await small.restart(number);
    }
    expect(await left(small)).toEqual(nothing);
    small.crash(1, 2, 3);
    for (const number of [1, 2, 3]) await small.restart(number);
    expect(await left(small)).toEqual(nothing);
  });

  it("leaves a key that can be written again, and keeps what is written", async () => {
    const small = await reaping();
    await deleted(small);
    await small.pass(roundMs);
    expect(await small.put(3, "k", "new", { w: 3 })).toMatchObject({ ok: true });
    await small.pass(roundMs);
    expect(await small.read(1, "k", { r: 3 })).toEqual(["new"]);
  });
});

describe("nothing is forgotten", () => {
  it("while a member is away, and the view names it; and then it is", async () => {
    const small = await reaping();
    await deleted(small);
    small.crash(3);
    await small.pass(20_000);
    const held = [await small.own(1, "k"), await small.own(2, "k")];
    expect(held).toEqual([[], []]);
    const blockers = [1, 2].flatMap((number) => small.at(number).reaping()?.blockers ?? []);
    for (const blocker of blockers) expect(blocker).toMatchObject({ node: "n3", reason: "away" });
    await small.restart(3);
    await small.pass(20_000);
    expect(await left(small)).toEqual(nothing);
  });

  it("while an owner does not hold the very same", async () => {
    const small = await reaping({ handoff: { bytesPerSecond: 0, keysMax: 10 } });
    await small.put(1, "k", "old", { w: 3 });
    small.crash(3);
    await small.delete(1, "k", { r: 2 });
    await small.restart(3);
    await small.pass(20_000);
    expect(await left(small)).toEqual([
      [1, []],
      [1, []],
      [0, ["old"]],
    ]);
    const blockers = [1, 2, 3].flatMap((number) => small.at(number).reaping()?.blockers ?? []);
    expect(blockers).toEqual([expect.objectContaining({ reason: "lacking", partitions: 1 })]);
    // Read repair brings the tombstone, not the value back; and then it may go.
    expect(await small.read(3, "k", { r: 3 })).toEqual([]);
    await small.pass(roundMs);
    expect(await left(small)).toEqual(nothing);
  });

  it("while somebody holds a hint of the partition", async () => {
    const small = await reaping({
      nodes: 4,
      partitions: 1,
      handoff: { bytesPerSecond: 0, keysMax: 10 },
    });
    const { owners, others } = small.owners("k");
    const [first = 0, second = 0] = owners;
    const [other = 0] = others;
    await small.put(first, "k", "old", { w: 3 });
    expect(await tell(small, other, hint("another", second))).toMatchObject({ kind: "merged" });
    await small.delete(first, "k", { w: 3, r: 3 });
    await small.pass(roundMs);
    expect(await small.own(second, "k")).toEqual([]);
    const blockers = owners.flatMap((number) => small.at(number).reaping()?.blockers ?? []);
    expect(blockers).toMatchObject([{ node: node(other), reason: "hints" }]);
  });
});

describe("what is written through an owner that has forgotten, before the others have", () => {
  /** The tombstone of `k` is gone at the second owner, and not yet at the third, which is slow. */
  async function halfForgotten(): Promise<{
    readonly small: SmallCluster;
    readonly second: number;
    readonly third: number;
  }> {
    const small = await reaping();
    const [, second = 0, third = 0] = small.owners("k").owners;
    await deleted(small);
    small.cluster.network.slow(address(third), 15);
    while ((await small.own(second, "k")) !== "absent") await small.pass(1);
    expect(await small.own(third, "k")).toEqual([]);
    return { small, second, third };
  }

  async function clocks(small: SmallCluster): Promise<readonly string[]> {
    const copies = await Promise.all([1, 2, 3].map((number) => small.copy(number, "k")));
    return copies.map((copy) => JSON.stringify(copy));
  }

  it("is the same at all soon after", async () => {
    const { small, second, third } = await halfForgotten();
    await small.put(second, "k", "new", { w: 1 });
    small.cluster.network.slow(address(third), 1);
    await small.pass(5000);
    expect(new Set(await clocks(small)).size).toBe(1);
    expect(await small.own(second, "k")).toEqual(["new"]);
  });

  it("is the same at all, too, where the others were never told to forget", async () => {
    const { small, second, third } = await halfForgotten();
    small.crash(third);
    small.cluster.network.slow(address(third), 1);
    await small.put(second, "k", "new", { w: 1 });
    await small.restart(third);
    await small.pass(10_000);
    expect(new Set(await clocks(small)).size).toBe(1);
    expect(await small.own(second, "k")).toEqual(["new"]);
  });
});

describe("what was read before something was reaped", () => {
  it("is refused after it, and changes nothing", async () => {
    const small = await reaping();
    const old = await readOf(small);
    await small.delete(1, "k", { w: 3, r: 3 });
    await small.pass(roundMs);
    expect(await left(small)).toEqual(nothing);
    expect(await tell(small, 2, { kind: "merge", ...old })).toMatchObject({
      kind: "refused",
      code: "behind-fence",
    });
    expect(await left(small)).toEqual(nothing);
  });

  it("is refused as a hint too", async () => {
    const small = await reaping({ nodes: 4, partitions: 1 });
    const { owners, others } = small.owners("k");
    const [first = 0, second = 0] = owners;
    const old = await readOf(small, first);
    await small.delete(first, "k", { w: 3, r: 3 });
    await small.pass(roundMs);
    const answer = await tell(small, others[0] ?? 0, {
      kind: "hint",
      target: node(second),
      ...old,
    });
    expect(answer).toMatchObject({ kind: "refused", code: "behind-fence" });
    await small.pass(roundMs);
    expect(await small.own(second, "k")).toBe("absent");
  });

  it("is dropped when a directory is back in which it still is", async () => {
    const small = await reaping();
    await small.put(1, "k", "old", { w: 3 });
    await small.put(1, "other", "kept", { w: 3 });
    const image = small.cluster.disk(node(3)).image();
    await small.delete(1, "k", { w: 3, r: 3 });
    await small.pass(roundMs);
    expect(await left(small)).toEqual(nothing);
    const disk = small.cluster.disk(node(3));
    small.crash(3);
    disk.restore(image);
    await small.restart(3);
    expect(await small.read(3, "k", { r: 2 })).not.toContain("old");
    await small.pass(10_000);
    expect(await left(small)).toEqual(nothing);
    for (const number of [1, 2, 3]) expect(await small.own(number, "other")).toEqual(["kept"]);
    expect(await small.put(3, "k", "new", { w: 3 })).toMatchObject({ ok: true });
  });
});

describe("a node that others have left behind", () => {
  it("asks again until it has caught up, if nobody answers when it hears of it", async () => {
    const small = await SmallCluster.start({ partitions: 1 });
    await leaveBehind(small, [1, 2]);
    const { network } = small.cluster;
    for (const number of [1, 2]) network.cut(address(3), address(number), "silent");
    await tell(small, 3, { kind: "raise-fence", reaped: 1, ...round, fence: 2 });
    await small.pass(5000);
    expect(await fenceAt(small, 3)).toEqual({ raised: 0, reaped: 0 });
    network.heal();
    await small.pass(10_000);
    expect(await fenceAt(small, 3)).toEqual({ raised: 1, reaped: 1 });
  });

  it("catches up although its hints are for one that refuses what else is owed to it", async () => {
    // Only so one node holds both of a partition: a copy of its own, and hints for another.
    const buckets = [wholeBucket("default", { n: 3 }, 3), wholeBucket("pair", { n: 2 }, 3)];
    const small = await SmallCluster.start({ partitions: 1, buckets });
    const [first = 0, second = 0, third = 0] = small.owners("k").owners;
    const { network } = small.cluster;
    for (const other of [first, third]) network.cut(address(other), address(second), "refusing");
    await small.put(third, "k", "kept", { w: 2 });
    await small.put(first, "p", "held", { bucket: "pair", w: 2 });
    expect(debtsOf(small, third)).toMatchObject([{ kind: "missed" }, { kind: "hints" }]);
    await leaveBehind(small, [first, second]);
    network.heal();
    await small.pass(30_000);
    expect(debtsOf(small, third)).toEqual([]);
    expect(await fenceAt(small, third)).toEqual({ raised: 1, reaped: 1 });
    expect(await small.read(first, "k", { r: 3 })).toEqual(["kept"]);
  });
});

const round = { partition: 0, fence: 1, entries: [], cuts: [] };

/** As if the directories of all others had been put back between raising and reaping. */
async function leaveBehind(small: SmallCluster, ahead: readonly number[]): Promise<void> {
  for (const number of ahead) {
    await tell(small, number, { kind: "raise-fence", reaped: 0, ...round });
    expect(await tell(small, number, { kind: "reap", ...round })).toEqual({ kind: "reaped" });
  }
}

function debtsOf(small: SmallCluster, number: number): unknown {
  return small.at(number).handoff()?.debts;
}

async function fenceAt(small: SmallCluster, number: number): Promise<unknown> {
  const answer = await tell(small, number, { kind: "ask-fences" });
  if (answer.kind !== "fences") throw new Error(`it is ${answer.kind}`);
  return answer.fences[0];
}

/** Puts `k` everywhere, and reads it as a peer would. */
async function readOf(
  small: SmallCluster,
  at: number = 1,
): Promise<{ readonly fence: number; readonly record: Uint8Array }> {
  await small.put(at, "k", "old", { w: 3 });
  const answer = await tell(small, at, { kind: "read", ...key });
  if (answer.kind !== "present") throw new Error(`it is ${answer.kind}`);
  return { fence: answer.fence.raised, record: answer.record };
}
