import { type BucketSettings, latin1 } from "@coterie/core";
import { type DiskImage, SimClock, type SimClusterOptions } from "@coterie/sim";
import { type StoreOptions, openStore } from "@coterie/storage";
import { describe, expect, it } from "vitest";
import { usualSettings } from "./lone-node.ts";
import { SmallCluster, node, successful } from "./small-cluster.ts";

const keys: readonly string[] = Array.from({ length: 120 }, (_, index) => `key-${index}`);
const padding = "v".repeat(1500);

/** A bucket of which every replica must answer. */
const readFromAll: BucketSettings = {
  name: "default",
  policy: "siblings",
  n: 3,
  r: 3,
  w: 1,
  pr: 0,
  pw: 0,
  allowStale: false,
  mode: "strict",
};

/** Several sealed segments of records on every node. */
async function filled(options: Partial<SimClusterOptions> = {}): Promise<SmallCluster> {
  const small = await SmallCluster.start(options);
  for (const key of keys) successful(await small.put(1, key, `${key} ${padding}`, { w: 3 }));
  return small;
}

/** Ends n1's process, lets its disk rot, and starts it again, alone with what it has. */
async function restartDamaged(
  small: SmallCluster,
  stop: "clean" | "crash",
  hit: (segments: readonly string[], image: DiskImage) => ReadonlyMap<string, number[]>,
): Promise<void> {
  if (stop === "clean") await small.stop(1);
  else small.crash(1);
  const disk = small.cluster.disk(node(1));
  const image = disk.image();
  const segments = [...image.keys()].filter((name) => name.endsWith(".seg")).toSorted();
  for (const [name, offsets] of hit(segments, image)) {
    for (const offset of offsets) disk.flipBit(name, offset, 3);
  }
  small.cluster.network.partition(["n1"] as never, ["n2", "n3"] as never, "refusing");
  await small.restart(1);
}

/** A bit in each of several records of the first segment, which holds nothing but records. */
function rotInSealed(segments: readonly string[]): ReadonlyMap<string, number[]> {
  return new Map([[segments[0] ?? "", [5_000, 20_000, 35_000]]]);
}

/** A bit in nearly each record of the segments that hold nothing but records. */
function rotInEachRecord(segments: readonly string[]): ReadonlyMap<string, number[]> {
  const offsets = Array.from({ length: 35 }, (_, index) => 1500 + index * 1600);
  return new Map(segments.slice(0, -2).map((name) => [name, offsets]));
}

/** A bit in the middle of what is replayed: of every segment but the last. */
function rotInReplay(segments: readonly string[]): ReadonlyMap<string, number[]> {
  return new Map(segments.slice(0, -1).map((name) => [name, [30_000]]));
}

/** How many keys n1 says *unknown* of; of all others it holds exactly what was written. */
async function countUnknown(small: SmallCluster): Promise<number> {
  let unknown = 0;
  for (const key of keys) {
    const own = await small.own(1, key);
    if (own === "unknown") unknown += 1;
    else expect(own).toEqual([`${key} ${padding}`]);
  }
  return unknown;
}

async function expectEqualCopies(small: SmallCluster): Promise<void> {
  for (const key of keys) {
    const copies = [await small.copy(1, key), await small.copy(2, key)];
    const [mine, theirs] = copies.map((copy) => (copy.state === "present" ? copy.digest : ""));
    expect(mine).toBe(theirs);
    expect(mine).not.toBe("");
  }
}

describe("a damaged disk", () => {
  it.each([
    ["the replay range after a crash", "crash", rotInReplay],
    ["a checkpointed segment after a clean stop", "clean", rotInSealed],
  ] as const)("in %s is unknown, never absent, and refilled", async (_, stop, hit) => {
    const small = await filled();
    await restartDamaged(small, stop, hit);
    // Reading each key makes n1 notice what the checkpoint could not tell.
    await countUnknown(small);
    expect(await countUnknown(small)).toBeGreaterThan(0);
    small.cluster.network.heal();
    await small.pass(10_000);
    expect(await countUnknown(small)).toBe(0);
    await expectEqualCopies(small);
    expect(small.cluster.events.map(({ event }) => event.kind)).toContain("refilled");
  });

  it("never answers a strict read wrongly, nor counts as an answer itself", async () => {
    const small = await filled();
    await restartDamaged(small, "crash", rotInReplay);
    expect(await countUnknown(small)).toBe(keys.length);
    expect(await small.read(1, "key-7", { r: 1 })).toMatch(/quorum-not-met|timeout/u);
    expect(await small.read(1, "never", { r: 1 })).toMatch(/quorum-not-met|timeout/u);
    small.cluster.network.heal();
    expect(await small.read(1, "key-7", { r: 2 })).toEqual([`key-7 ${padding}`]);
  });

  it("holds up a scan of all copies once in each place, and no page starts over", async () => {
    const small = await filled({ buckets: [readFromAll] });
    await restartDamaged(small, "clean", rotInEachRecord);
    small.cluster.network.heal();
    await small.pass(10_000);
    const found: string[] = [];
    let pages = 0;
    let cursor: string | undefined;
    do {
      const asked = { limit: 1000, cursor, prefix: undefined, tombstones: false };
      let page = await small.until(small.at(2).scan("default", asked));
      if (!page.ok) {
        // It met damage in its first batch, which is refilled by now.
        await small.pass(1000);
        page = await small.until(small.at(2).scan("default", asked));
      }
      pages += 1;
      const { items, cursor: next } = successful(page);
      found.push(...items.map(({ key }) => latin1(key)));
      cursor = next;
    } while (cursor !== undefined);
    expect(found.toSorted()).toEqual(keys.toSorted());
    // One page holds them all where nothing is met on the way.
    expect(pages).toBeGreaterThan(2);
  });

  it("makes its node take a new actor, also after a clean stop", async () => {
    const small = await filled();
    await restartDamaged(small, "clean", rotInSealed);
    await countUnknown(small);
    small.cluster.network.heal();
    await small.pass(10_000);
    successful(await small.put(1, "key-0", "more"));
    const copy = await small.copy(1, "key-0");
    expect(copy.state === "present" ? copy.clock.length : 0).toBe(2);
    expect(await small.read(2, "key-0", { r: 3 })).toEqual([`key-0 ${padding}`, "more"].toSorted());
  });

  it("is not refilled by one other node alone", async () => {
    const small = await filled();
    await restartDamaged(small, "crash", rotInReplay);
    small.crash(3);
    small.cluster.network.heal();
    await small.pass(10_000);
    expect(await countUnknown(small)).toBe(keys.length);
    await small.restart(3);
    await small.pass(10_000);
    expect(await countUnknown(small)).toBe(0);
    await expectEqualCopies(small);
  });

  it("keeps what is written while it is refilled", async () => {
    const small = await filled();
    await restartDamaged(small, "crash", rotInReplay);
    small.cluster.network.heal();
    for (const key of keys.slice(0, 20)) successful(await small.put(1, key, "more"));
    await small.pass(10_000);
    for (const key of keys.slice(0, 20)) {
      expect(await small.own(1, key)).toEqual([`${key} ${padding}`, "more"].toSorted());
    }
  });
});

it("keeps a record that could not be read once, and then could", async () => {
  const small = await filled();
  small.cluster.disk(node(1)).inject({ operation: "read", error: "io", times: 1 });
  for (const key of keys) await small.own(1, key);
  expect(small.at(1).statistics().store?.damagedRecords).toBe(1);
  await small.pass(5000);
  expect(await countUnknown(small)).toBe(0);
  await expectEqualCopies(small);
});

it("refills the partitions that it has thrown away, and does not guess meanwhile", async () => {
  const small = await filled();
  await small.stop(1);
  const { world, cluster } = small;
  const clock = new SimClock(world);
  const ports = { clock, disk: cluster.disk(node(1)), random: world.random.fork("store") };
  const options: StoreOptions = {
    ...usualSettings,
    classOf: () => 3,
    segmentBytes: 64 * 1024,
    queueBytesMax: 1024 * 1024,
    reserveBytes: 0,
    durability: "fsync",
    cacheBytes: 1024,
    onFatal: () => undefined,
    onEvent: () => undefined,
  };
  const opened = await small.until(openStore(ports, options));
  if (!opened.ok) throw new Error(opened.message);
  for (const partition of [0, 5]) {
    expect(await small.until(opened.store.discard(partition))).toBe(true);
  }
  await small.until(opened.store.stop());
  cluster.network.partition(["n1"] as never, ["n2", "n3"] as never, "refusing");
  await small.restart(1);
  const unknown = await countUnknown(small);
  expect(unknown).toBeGreaterThan(0);
  expect(unknown).toBeLessThan(keys.length);
  cluster.network.heal();
  await small.pass(10_000);
  expect(await countUnknown(small)).toBe(0);
  await expectEqualCopies(small);
});
