import { type CausalRecord, decodeRecord, utf8 } from "@coterie/core";
import { describe, expect, it } from "vitest";
import { type Choices, SmallCluster, node } from "../small-cluster.ts";
import { tell } from "../hints/tell.ts";

const graceMs = 400;
const roundMs = 1500;
const settleMs = 20_000;
const key = { bucket: "default", key: utf8("k") };
const everywhere: Choices = { w: 3, r: 3 };
const owners = [1, 2, 3];

function cutting(options: Parameters<typeof SmallCluster.start>[0] = {}): Promise<SmallCluster> {
  return SmallCluster.start({ reaping: { graceMs }, ...options });
}

interface Copy {
  readonly fence: number;
  readonly bytes: Uint8Array;
  readonly record: CausalRecord;
}

/** A node's own copy of `k`, as a peer reads it. */
async function copyAt(small: SmallCluster, number: number): Promise<Copy> {
  const answer = await tell(small, number, { kind: "read", ...key });
  if (answer.kind !== "present") throw new Error(`it is ${answer.kind}`);
  const decoded = decodeRecord(answer.record);
  if (!decoded.ok) throw new Error(decoded.reason);
  return { fence: answer.fence.raised, bytes: answer.record, record: decoded.record };
}

/** How many actors there are in each node's clock of `k`. */
async function sizes(small: SmallCluster): Promise<readonly number[]> {
  const found: number[] = [];
  for (const number of owners) found.push((await copyAt(small, number)).record.clock.size);
  return found;
}

async function overwrite(small: SmallCluster, at: number, value: string): Promise<void> {
  const read = await small.get(at, "k", { r: 2 });
  const context = read.ok ? read.context : undefined;
  expect(await small.put(at, "k", value, { context })).toMatchObject({ ok: true });
}

/** Overwrites `k` through a node whose process then dies, so often. */
async function wear(small: SmallCluster, at: number, times: number): Promise<void> {
  for (let time = 1; time <= times; time += 1) {
    await overwrite(small, at, `${time}`);
    small.crash(at);
    await small.restart(at);
  }
}

describe("a clock that has grown with crashes", () => {
  it("is cut to the actor of the one value, at every owner", async () => {
    const small = await cutting();
    await wear(small, 1, 4);
    await small.pass(roundMs);
    // One entry for each copy may be spare.
    expect(await sizes(small)).toEqual([4, 4, 4]);
    await wear(small, 1, 1);
    await small.pass(settleMs);
    expect(await sizes(small)).toEqual([1, 1, 1]);
    expect(await small.read(2, "k", everywhere)).toEqual(["1"]);
    const views = owners.map((number) => small.at(number).reaping());
    expect(views.map((view) => view?.wide)).toEqual([0, 0, 0]);
    expect(views.map((view) => view?.cut)).toEqual([1, 1, 1]);
  });

  it("stays where nothing is reaped", async () => {
    const small = await SmallCluster.start();
    await wear(small, 1, 6);
    await small.pass(settleMs);
    expect(await sizes(small)).toEqual([6, 6, 6]);
  });

  it("stays while a member is away, is found after each start, and then is cut", async () => {
    const small = await cutting();
    small.crash(3);
    await wear(small, 1, 6);
    await small.pass(settleMs);
    // With the checkpoint of a clean stop, and without.
    await small.stop(2);
    await small.restart(2);
    expect([1, 2].map((number) => small.at(number).reaping()?.wide)).toEqual([1, 1]);
    const blockers = [1, 2].flatMap((number) => small.at(number).reaping()?.blockers ?? []);
    for (const blocker of blockers) expect(blocker).toMatchObject({ node: "n3", reason: "away" });
    await small.restart(3);
    await small.pass(settleMs);
    expect(await sizes(small)).toEqual([1, 1, 1]);
  });

  it("stays while an owner lacks what its entries say is overwritten", async () => {
    const small = await cutting({ handoff: { bytesPerSecond: 0, keysMax: 10 } });
    expect(await small.put(1, "k", "old", { w: 3 })).toMatchObject({ ok: true });
    small.crash(3);
    await wear(small, 1, 6);
    await small.restart(3);
    await small.pass(settleMs);
    expect(await small.own(3, "k")).toEqual(["old"]);
    expect((await copyAt(small, 2)).record.clock.size).toBeGreaterThan(4);
    const blockers = owners.flatMap((number) => small.at(number).reaping()?.blockers ?? []);
    expect(blockers).toEqual([expect.objectContaining({ reason: "lacking", partitions: 1 })]);
    // Read repair brings the clock, not the value back; and then it may be cut.
    expect(await small.read(3, "k", everywhere)).toEqual(["6"]);
    await small.pass(settleMs);
    expect(await sizes(small)).toEqual([1, 1, 1]);
    expect(await small.read(3, "k", everywhere)).toEqual(["6"]);
  });
});

describe("what a cut clock no longer says", () => {
  it("needs not be said of what was read before: it is refused", async () => {
    const small = await cutting();
    await small.put(1, "k", "old", { w: 3 });
    const { fence, bytes } = await copyAt(small, 1);
    await wear(small, 1, 5);
    await small.pass(settleMs);
    expect(await sizes(small)).toEqual([1, 1, 1]);
    const late = await tell(small, 2, { kind: "merge", fence, record: bytes });
    expect(late).toMatchObject({ kind: "refused", code: "behind-fence" });
    expect(await small.read(2, "k", everywhere)).toEqual(["5"]);
  });

  it("needs not be said of a directory in which it is alive: that is thrown away", async () => {
    const small = await cutting();
    await small.put(3, "k", "old", { w: 3 });
    const image = small.cluster.disk(node(3)).image();
    await wear(small, 3, 5);
    await small.pass(settleMs);
    expect(await sizes(small)).toEqual([1, 1, 1]);
    const disk = small.cluster.disk(node(3));
    small.crash(3);
    disk.restore(image);
    await small.restart(3);
    expect(await small.read(3, "k", { r: 2 })).not.toContain("old");
    await small.pass(settleMs);
    for (const number of owners) expect(await small.own(number, "k")).toEqual(["5"]);
  });

  it("may come back with a client's old context, and goes again", async () => {
    const small = await cutting();
    await wear(small, 1, 5);
    const read = await small.get(2, "k", { r: 2 });
    const context = read.ok ? read.context : undefined;
    await small.pass(settleMs);
    expect(await sizes(small)).toEqual([1, 1, 1]);
    // Who wrote meanwhile was not read.
    expect(await small.put(2, "k", "unread", { w: 3 })).toMatchObject({ ok: true });
    const put = await small.put(3, "k", "late", { w: 3, context });
    expect(put).toMatchObject({ ok: true });
    expect(await small.read(1, "k", everywhere)).toEqual(["late", "unread"]);
    expect(Math.max(...(await sizes(small)))).toBeGreaterThan(5);
    await small.pass(settleMs);
    expect(await sizes(small)).toEqual([2, 2, 2]);
    expect(await small.read(1, "k", everywhere)).toEqual(["late", "unread"]);
  });
});
