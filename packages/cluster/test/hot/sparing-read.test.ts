import { describe, expect, it } from "vitest";
import { SmallCluster, node, successful } from "../small-cluster.ts";

const large = "v".repeat(20_000);

/** Records that a node was spared, and how many of its reads had to ask twice. */
function counted(small: SmallCluster, at: number): readonly [number, number] {
  const { recordsSpared, versionsDiffered } = small.at(at).statistics();
  return [recordsSpared, versionsDiffered];
}

/** Writes a new value that `behind` misses. */
async function writeWithout(small: SmallCluster, behind: number, value: string): Promise<void> {
  const { owners } = small.owners("k");
  const [through = 0, other = 0] = owners.filter((each) => each !== behind);
  const { context } = successful(await small.get(through, "k"));
  small.cluster.network.partition([node(behind)] as never, [node(through), node(other)] as never);
  successful(await small.put(through, "k", value, { context }));
  await small.pass(2000);
  small.cluster.network.heal();
}

describe("a read at an owner", () => {
  it("is sent no record that it holds itself", async () => {
    const small = await SmallCluster.start();
    successful(await small.put(1, "k", "value", { w: 3 }));
    expect(await small.read(1, "k")).toEqual(["value"]);
    expect(await small.read(1, "k", { r: 3 })).toEqual(["value"]);
    expect(counted(small, 1)).toEqual([3, 0]);
  });

  it("is sent none either where its own must be read from the disk", async () => {
    const small = await SmallCluster.start();
    successful(await small.put(1, "k", "value", { w: 3 }));
    // More than stays in memory.
    const other = "v".repeat(300);
    for (let at = 0; at < 40; at += 1) successful(await small.put(1, `k${at}`, other, { w: 3 }));
    const fromDisk = (): readonly number[] =>
      [1, 2, 3].map((at) => small.at(at).statistics().store?.readsFromDisk ?? 0);
    const [own = 0, ...others] = fromDisk();
    expect(await small.read(1, "k")).toEqual(["value"]);
    expect(await small.read(1, "k", { r: 3 })).toEqual(["value"]);
    expect(counted(small, 1)).toEqual([3, 0]);
    expect(fromDisk()).toEqual([own + 1, ...others]);
  });

  it.each([
    ["the asker", 3],
    ["another one", 1],
  ])("sees what is new, and repairs, where %s is behind", async (_, asker) => {
    const small = await SmallCluster.start({ handoff: { bytesPerSecond: 0, keysMax: 10 } });
    successful(await small.put(1, "k", "old", { w: 3 }));
    await writeWithout(small, 3, "new");
    expect(await small.own(3, "k")).toEqual(["old"]);
    expect(await small.read(asker, "k", { r: 3 })).toEqual(["new"]);
    await small.pass(100);
    expect(await small.own(3, "k")).toEqual(["new"]);
    expect(small.at(asker).statistics().readRepairs).toBe(asker === 3 ? 1 : 1);
    expect(counted(small, asker)[1]).toBe(0);
  });

  it("asks for everything while its own copy is not durable yet", async () => {
    const small = await SmallCluster.start();
    const { context } = successful(await small.put(1, "k", "old", { w: 3 }));
    small.cluster.disk(node(1)).slowdown = 1000;
    const put = small.begin(1, "k", "new", { context, w: 2 });
    await small.pass(20);
    expect(await small.read(1, "k")).toEqual(["new"]);
    successful(await small.until(put));
    expect(counted(small, 1)).toEqual([0, 0]);
  });
});

describe("a read at a node that holds no copy", () => {
  async function five(
    value: string,
  ): Promise<{ small: SmallCluster; owners: readonly number[]; asker: number }> {
    const small = await SmallCluster.start({
      nodes: 5,
      handoff: { bytesPerSecond: 0, keysMax: 10 },
    });
    const { owners, others } = small.owners("k");
    successful(await small.put(owners[0] ?? 0, "k", value, { w: 3 }));
    return { small, owners, asker: others[0] ?? 0 };
  }

  it("is sent one record where they are large, and the versions of the others", async () => {
    const { small, asker } = await five(large);
    expect(await small.read(asker, "k", { r: 3 })).toEqual([large]);
    expect(counted(small, asker)).toEqual([2, 0]);
  });

  it("is sent all where they are small", async () => {
    const { small, asker } = await five("small");
    expect(await small.read(asker, "k", { r: 3 })).toEqual(["small"]);
    expect(counted(small, asker)).toEqual([0, 0]);
  });

  it.each([0, 2])("asks again where they differ, and repairs (owner %i is behind)", async (at) => {
    const { small, owners, asker } = await five(large);
    const behind = owners[at] ?? 0;
    await writeWithout(small, behind, `${large}, and more`);
    expect(await small.own(behind, "k")).toEqual([large]);
    expect(await small.read(asker, "k", { r: 3 })).toEqual([`${large}, and more`]);
    expect(counted(small, asker)[1]).toBe(1);
    await small.pass(100);
    expect(await small.own(behind, "k")).toEqual([`${large}, and more`]);
    expect(await small.read(asker, "k", { r: 3 })).toEqual([`${large}, and more`]);
    expect(counted(small, asker)[1]).toBe(1);
  });

  it("asks another one for its record where the first does not answer", async () => {
    const { small, owners, asker } = await five(large);
    small.crash(owners[0] ?? 0);
    expect(await small.read(asker, "k", { r: 2, timeoutMs: 5000 })).toEqual([large]);
  });
});

describe("a key that is read often", () => {
  async function five(): Promise<{
    small: SmallCluster;
    owners: readonly number[];
    asker: number;
  }> {
    const small = await SmallCluster.start({ nodes: 5, tuning: { hotReadsPerSecond: 10 } });
    const { owners, others } = small.owners("k");
    successful(await small.put(owners[0] ?? 0, "k", "first", { w: 3 }));
    return { small, owners, asker: others[0] ?? 0 };
  }

  async function readMany(small: SmallCluster, at: number, r: number): Promise<void> {
    for (let count = 0; count < 200; count += 1) successful(await small.get(at, "k", { r }));
  }

  it("is kept where no copy is held, and not sent again until it changes", async () => {
    const { small, owners, asker } = await five();
    await readMany(small, asker, 2);
    const statistics = small.at(asker).statistics();
    expect(statistics.copiesKept).toBe(1);
    const before = statistics.recordsSpared;
    await readMany(small, asker, 2);
    expect(small.at(asker).statistics().recordsSpared - before).toBe(400);
    const { context } = successful(await small.get(asker, "k"));
    successful(await small.put(owners[1] ?? 0, "k", "second", { context, w: 2 }));
    expect(await small.read(asker, "k")).toEqual(["second"]);
    expect(small.at(asker).statistics().copiesKept).toBe(2);
    expect(small.at(asker).hotKeys()?.copies.bytes).toBeGreaterThan(0);
  });

  it("is not kept before it is read often, nor where a copy is held", async () => {
    const { small, owners, asker } = await five();
    await small.get(asker, "k");
    const owner = owners[0] ?? 0;
    await readMany(small, owner, 2);
    expect(small.at(asker).statistics().copiesKept).toBe(0);
    expect(small.at(owner).statistics().copiesKept).toBe(0);
  });

  it("is read from all owners alike, and before that from the first of them", async () => {
    const { small, owners, asker } = await five();
    const served = (): readonly number[] =>
      owners.map((owner) => small.at(owner).statistics().copiesAsked);
    const start = served();
    await small.get(asker, "k", { r: 1 });
    expect(served().map((count, at) => count - (start[at] ?? 0))).toEqual([1, 0, 0]);
    await readMany(small, asker, 1);
    const warm = served();
    for (let count = 0; count < 300; count += 1) await small.get(asker, "k", { r: 1 });
    expect(served().map((count, at) => count - (warm[at] ?? 0))).toEqual([100, 100, 100]);
  });
});
