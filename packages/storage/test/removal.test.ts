import { latin1 } from "@coterie/core";
import { describe, expect, it } from "vitest";
import { chooseOldest } from "../src/maintenance/choose-victims.ts";
import type { PlacedKey, UpdateOutcome } from "../src/index.ts";
import { StoreWorld, placed, version, versionOf } from "./store-world.ts";

const changed = { ok: true, changed: true };
const unchanged = { ok: true, changed: false };
/** Large enough for three to fill a segment. */
const largeBytes = 18_000;

async function compacted(directory: StoreWorld): Promise<void> {
  await directory.world.runUntilSettled(directory.store.compact());
}

/** Segments in the directory, by their numbers. */
function segmentsOf(directory: StoreWorld): readonly string[] {
  return directory.files().filter((name) => name.startsWith("log-"));
}

describe("a record that is removed", () => {
  it("is absent, takes no memory, and may be put again", async () => {
    const directory = new StoreWorld(1);
    await directory.open();
    await directory.updated("key", 1);
    expect(await directory.removed("key")).toEqual(changed);
    expect(await directory.read("key")).toEqual({ state: "absent" });
    const { partition, token } = placed("key");
    expect(await directory.list(partition)).toEqual([]);
    expect(directory.store.bytesHeld(placed("key"))).toBe(0);
    expect(directory.store.statistics()).toMatchObject({ keys: 0, removals: 1 });
    const found = await directory.world.runUntilSettled(
      new Promise((resolve) => {
        directory.store.find({ partition, token, evenIfDamaged: false }, resolve);
      }),
    );
    expect(found).toEqual([]);
    expect(await directory.updated("key", 2)).toEqual(changed);
    expect(versionOf(await directory.read("key"))).toBe(2);
  });

  it("changes nothing where nothing is held", async () => {
    const directory = new StoreWorld(2);
    await directory.open();
    expect(await directory.removed("key")).toEqual(unchanged);
    expect(directory.store.statistics().removals).toBe(0);
  });

  it("is not answered for before it is durably gone", async () => {
    const directory = new StoreWorld(3, { cacheBytes: 64 * 1024 });
    await directory.open();
    await directory.updated("key", 1);
    // No room for the log is being made any more.
    await directory.pass(500);
    const settled: unknown[] = [];
    const settledBefore: number[] = [];
    directory.onOperation = () => settledBefore.push(settled.length);
    const removed = directory.remove("key").then((outcome) => settled.push(outcome));
    directory.store.read(placed("key"), (outcome) => settled.push(outcome));
    void directory.remove("key").then((outcome) => settled.push(outcome));
    await directory.world.runUntilSettled(removed);
    await directory.pass(1);
    const absent = { ok: true, held: { state: "absent" } };
    expect(settled).toEqual(expect.arrayContaining([changed, unchanged, absent]));
    // The group was written, and then synced.
    expect(settledBefore.slice(0, 2)).toEqual([0, 0]);
  });

  it("stays where its token is another key's too, or what is damaged", async () => {
    const directory = new StoreWorld(4);
    await directory.open();
    const { token, partition } = placed("key");
    const update = (name: string, apply: () => ReturnType<typeof version> | "gone") =>
      directory.world.runUntilSettled(
        new Promise<UpdateOutcome>((settle) => {
          const key: PlacedKey = { ...placed(name), token, partition };
          directory.store.update(key, { bytes: 100, mayUseReserve: false, apply, settle });
        }),
      );
    await update("key", () => version("key", 1));
    await update("other", () => version("other", 2));
    expect(await update("key", () => "gone")).toEqual(unchanged);
    expect(versionOf(await directory.read("key"))).toBe(1);
    await directory.updated("rotten", 1);
    await directory.restart();
    directory.rot("rotten");
    expect(await directory.removed("rotten")).toEqual(unchanged);
    expect(versionOf(await directory.read("rotten"))).toBe(-1);
  });
});

describe.each(["power", "kill", "stop"] as const)("a removal, after a %s", (how) => {
  it.each([true, false])("holds (checkpoint: %s)", async (hasCheckpoint) => {
    const directory = new StoreWorld(5);
    await directory.open();
    await directory.updated("removed", 1);
    await directory.updated("again", 1);
    await directory.updated("kept", 1);
    if (hasCheckpoint) await directory.restart();
    await directory.removed("removed");
    await directory.removed("again");
    await directory.updated("again", 2);
    for (let start = 0; start < 2; start += 1) {
      if (!hasCheckpoint) await directory.openWithoutCheckpoint(how);
      else if (how === "stop") await directory.restart();
      else {
        directory.crash(how);
        await directory.open();
      }
      expect(await directory.read("removed")).toEqual({ state: "absent" });
      expect(versionOf(await directory.read("again"))).toBe(2);
      expect(versionOf(await directory.read("kept"))).toBe(1);
      expect(directory.store.damage()).toEqual({ tokens: [], partitions: [], isWhole: true });
    }
  });

  it("outlives its segment while an older one holds the record", async () => {
    const directory = new StoreWorld(6);
    await directory.open();
    // The first segment stays: what else is in it is alive.
    await directory.updated("removed", 1);
    await directory.updated("again", 1);
    for (const name of ["a", "b", "c"]) await directory.updated(name, 1, largeBytes);
    await directory.restart();
    const [first] = segmentsOf(directory);
    await directory.removed("removed");
    await directory.removed("again");
    await directory.updated("again", 2);
    const second = segmentsOf(directory).at(-1);
    await directory.updated("dies", 1, largeBytes);
    await directory.restart();
    await directory.updated("dies", 2);
    await compacted(directory);
    expect(segmentsOf(directory)).toContain(first);
    expect(segmentsOf(directory)).not.toContain(second);
    expect(directory.store.statistics().removals).toBe(2);
    for (let start = 0; start < 2; start += 1) {
      await directory.openWithoutCheckpoint(how);
      expect(await directory.read("removed")).toEqual({ state: "absent" });
      expect(versionOf(await directory.read("again"))).toBe(2);
      expect(directory.store.damage()).toEqual({ tokens: [], partitions: [], isWhole: true });
    }
  });
});

it("a removal outlives a copy that compaction was making of its record", async () => {
  let copied = 0;
  for (let removeAt = 1; removeAt < 30; removeAt += 1) {
    const directory = new StoreWorld(10);
    await directory.open();
    await directory.updated("removed", 1);
    await directory.updated("stays", 1);
    for (const name of ["a", "b"]) await directory.updated(name, 1, largeBytes);
    await directory.restart();
    for (const name of ["a", "b"]) await directory.updated(name, 2);
    await directory.pass(500);
    const begun = directory.operations;
    const segmentsBefore = segmentsOf(directory);
    let removed: Promise<UpdateOutcome> | undefined;
    directory.onOperation = (operation) => {
      if (operation === begun + removeAt) removed = directory.remove("removed");
    };
    await compacted(directory);
    directory.onOperation = undefined;
    if (removed !== undefined) await directory.world.runUntilSettled(removed);
    else await directory.removed("removed");
    const copies = [...directory.disk.image()].filter(
      ([name, bytes]) => !segmentsBefore.includes(name) && latin1(bytes).includes("removed"),
    );
    if (copies.length > 0) copied += 1;
    // The segment dies to which the removal was written, and that to which it was written again.
    for (let round = 1; round <= 2; round += 1) {
      await directory.updated("c", round * 2, largeBytes);
      await directory.restart();
      await directory.updated("c", round * 2 + 1);
      await compacted(directory);
    }
    expect(segmentsOf(directory).filter((name) => segmentsBefore.includes(name))).toEqual([]);
    await directory.openWithoutCheckpoint("stop");
    expect({ removeAt, held: await directory.read("removed") }).toEqual({
      removeAt,
      held: { state: "absent" },
    });
    expect(versionOf(await directory.read("stays"))).toBe(1);
  }
  expect(copied).toBeGreaterThan(3);
});

describe("removals are forgotten", () => {
  it("once nothing older is left", async () => {
    const directory = new StoreWorld(7);
    await directory.open();
    for (const name of ["a", "b", "c", "d"]) await directory.updated(name, 1, largeBytes);
    for (const name of ["a", "b", "c", "d"]) await directory.removed(name);
    expect(directory.store.statistics().removals).toBe(4);
    await directory.restart();
    await compacted(directory);
    expect(directory.store.statistics()).toMatchObject({ removals: 0, keys: 0, bytesLive: 0 });
    await directory.openWithoutCheckpoint("stop");
    for (const name of ["a", "b", "c", "d"]) {
      expect(await directory.read(name)).toEqual({ state: "absent" });
    }
  });

  it("by rewriting the oldest segments, when there are many", async () => {
    const directory = new StoreWorld(8);
    await directory.open();
    for (const name of ["a", "b", "c", "d"]) await directory.updated(name, 1, largeBytes);
    const names = Array.from({ length: 5000 }, (_, at) => `key-${at}.`);
    const all = async (each: (name: string) => Promise<UpdateOutcome>): Promise<void> => {
      for (let from = 0; from < names.length; from += 500) {
        const some = names.slice(from, from + 500).map(each);
        await directory.world.runUntilSettled(Promise.all(some));
      }
    };
    await all((name) => directory.update(name, 1, 0));
    await all((name) => directory.remove(name));
    expect(directory.store.statistics().removals).toBe(5000);
    await directory.restart();
    await compacted(directory);
    const { removals, compactions } = directory.store.statistics();
    expect(removals).toBeLessThan(4096);
    expect(compactions).toBeLessThan(40);
    await directory.openWithoutCheckpoint("stop");
    for (const name of names.slice(0, 50)) {
      expect(await directory.read(name)).toEqual({ state: "absent" });
    }
    for (const name of ["a", "b", "c", "d"]) expect(versionOf(await directory.read(name))).toBe(1);
  });

  it("not with a segment that was lost: they are written again", async () => {
    const directory = new StoreWorld(9);
    await directory.open();
    await directory.updated("removed", 1);
    for (const name of ["a", "b", "c"]) await directory.updated(name, 1, largeBytes);
    await directory.restart();
    await directory.removed("removed");
    const second = segmentsOf(directory).at(-1) as string;
    await directory.restart();
    await directory.stop();
    directory.crashAndEdit((files) => files.delete(second), "kill");
    await directory.open();
    await directory.openWithoutCheckpoint("kill");
    expect(await directory.read("removed")).toEqual({ state: "absent" });
  });
});

describe("the oldest segments", () => {
  const uses = new Map([
    [3, { live: 100, total: 100 }],
    [1, { live: 900, total: 1000 }],
    [2, { live: 50, total: 100 }],
    [4, { live: 0, total: 100 }],
  ]);

  it.each([
    ["in their order, as many as fit", () => true, 1000, [1, 2]],
    ["none if the very oldest cannot be", (segment: number) => segment > 1, 1000, []],
    ["up to one that cannot be", (segment: number) => segment < 3, 9000, [1, 2]],
  ])("are taken %s", (_, isCandidate, segmentBytes, expected) => {
    expect(chooseOldest(uses, isCandidate, segmentBytes)).toEqual(expected);
  });
});
