import {
  type RangeDigest,
  type Token,
  emptyRange,
  encodeRecord,
  equalDigests,
  utf8,
} from "@coterie/core";
import { describe, expect, it } from "vitest";
import type { PlacedKey, RecordStore, StoredRecord } from "../src/index.ts";
import { StoreWorld, placed, version } from "./store-world.ts";

const partitions = [0, 1, 2, 3];

/** A key of a bucket with so many copies. */
function placedIn(n: number, name: string): PlacedKey {
  return placed(name, `copies-${n}`);
}

async function put(directory: StoreWorld, key: PlacedKey, counter: number): Promise<void> {
  const { record } = version("any", counter);
  const stored: StoredRecord = { record, bytes: encodeRecord(key, record) };
  await directory.world.runUntilSettled(
    new Promise((settle) => {
      const update = { bytes: 200, mayUseReserve: false, apply: () => stored, settle };
      directory.store.update(key, update);
    }),
  );
}

async function opened(seed: number): Promise<StoreWorld> {
  const directory = new StoreWorld(seed);
  await directory.open();
  return directory;
}

/** Keys of three classes, put in the given order. */
async function filled(seed: number, names: readonly string[]): Promise<StoreWorld> {
  const directory = await opened(seed);
  for (const name of names) await put(directory, placedIn(1 + (name.length % 3), name), 1);
  return directory;
}

const names: readonly string[] = Array.from({ length: 60 }, (_, at) => "k".repeat(1 + at));

function roots(store: RecordStore, above: number): readonly RangeDigest[] {
  return partitions.map((partition) => store.root(partition, above));
}

describe("the digest of a partition", () => {
  it("is of nothing while nothing is held", async () => {
    const { store } = await opened(1);
    expect(roots(store, 0)).toEqual(partitions.map(() => emptyRange));
  });

  it("is the same whatever the order of puts, and whatever was overwritten", async () => {
    const one = await filled(2, names);
    const other = await opened(3);
    for (const name of names.slice(0, 20))
      await put(other, placedIn(1 + (name.length % 3), name), 7);
    for (const name of names.toReversed())
      await put(other, placedIn(1 + (name.length % 3), name), 1);
    for (const above of [0, 1, 2])
      expect(roots(other.store, above)).toEqual(roots(one.store, above));
    expect(roots(one.store, 2).reduce((sum, { count }) => sum + count, 0)).toBe(20);
  });

  it("shows every version of every record", async () => {
    const directory = await filled(4, names);
    const before = roots(directory.store, 0);
    const key = placedIn(3, names[1] as string);
    await put(directory, key, 2);
    const after = roots(directory.store, 0);
    const changed = partitions.filter(
      (at) => !equalDigests(before[at] as RangeDigest, after[at] as RangeDigest),
    );
    expect(changed).toEqual([key.partition]);
  });

  it("leaves out the buckets with too few copies", async () => {
    const directory = await opened(5);
    await put(directory, placedIn(2, "two"), 1);
    const { partition } = placedIn(2, "two");
    const of = (above: number): number => directory.store.root(partition, above).count;
    expect([of(0), of(1), of(2)]).toEqual([1, 1, 0]);
  });

  it.each(["with", "without"])("is the same after a start %s a checkpoint", async (kind) => {
    const directory = await filled(6, names);
    const before = [0, 1, 2].map((above) => roots(directory.store, above));
    await directory.restart();
    if (kind === "without") {
      directory.crashAndEdit((files) => {
        for (const name of files.keys()) if (name.startsWith("checkpoint-")) files.delete(name);
      }, "power");
      await directory.open();
    }
    expect([0, 1, 2].map((above) => roots(directory.store, above))).toEqual(before);
  });

  it("is the same after a start from a checkpoint that does not know classes", async () => {
    const directory = await filled(7, names);
    const before = [0, 1, 2].map((above) => roots(directory.store, above));
    await directory.stop();
    directory.crashAndEdit((files) => {
      for (const [name, bytes] of files) {
        if (name.startsWith("checkpoint-")) bytes.set(utf8("CKP2"));
      }
    }, "kill");
    expect(await directory.open()).toMatchObject({ usedCheckpoint: true });
    expect([0, 1, 2].map((above) => roots(directory.store, above))).toEqual(before);
  });

  it("is that of its ranges together, and reads no record", async () => {
    const { store, world } = await filled(8, names);
    const middle = placed("middle");
    const { partition, token } = middle;
    const start = { high: Math.ceil((partition * 2 ** 32) / 4), low: 0 };
    const { readsFromDisk } = store.statistics();
    const of = (from: Token, until: Token | undefined): Promise<RangeDigest> =>
      world.runUntilSettled(store.digest({ partition, above: 0, range: { from, until } }));
    const first = await of(start, token);
    const second = await of(token, undefined);
    const whole = store.root(partition, 0);
    expect(first.count + second.count).toBe(whole.count);
    expect((first.high ^ second.high) >>> 0).toBe(whole.high);
    expect((first.low ^ second.low) >>> 0).toBe(whole.low);
    expect(store.statistics().readsFromDisk).toBe(readsFromDisk);
  });
});
