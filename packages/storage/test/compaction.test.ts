import { describe, expect, it } from "vitest";
import { chooseVictims } from "../src/maintenance/choose-victims.ts";
import { StoreWorld, placed, versionOf } from "./store-world.ts";

const names = Array.from({ length: 60 }, (_, key) => `key-${key}.`);

/** Every key several times over, so that most of the log is dead. */
async function overwritten(seed: number): Promise<StoreWorld> {
  const directory = new StoreWorld(seed);
  await directory.open();
  for (let counter = 1; counter <= 6; counter += 1) {
    const all = names.map((name) => directory.update(name, counter, 2000));
    await directory.world.runUntilSettled(Promise.all(all));
  }
  return directory;
}

/** The one version that all keys have. */
async function versionOfAll(directory: StoreWorld): Promise<number | undefined> {
  const versions = new Set<number>();
  for (const name of names) versions.add(versionOf(await directory.read(name)));
  const [version] = versions;
  return versions.size === 1 ? version : undefined;
}

function segmentBytes(directory: StoreWorld): number {
  let bytes = 0;
  for (const [name, content] of directory.disk.image()) {
    if (name.startsWith("log-")) bytes += content.length;
  }
  return bytes;
}

describe("compaction", () => {
  it("keeps every record, frees the space of the dead, and survives a start", async () => {
    const directory = await overwritten(1);
    const before = segmentBytes(directory);
    const { bytesLive } = directory.store.statistics();
    await directory.world.runUntilSettled(directory.store.compact());
    const after = directory.store.statistics();
    expect(after.compactions).toBeGreaterThan(0);
    expect(after.bytesLive).toBe(bytesLive);
    expect(segmentBytes(directory)).toBeLessThan(before / 2);
    expect(directory.events.map(({ kind }) => kind)).toContain("compacted");
    expect(await versionOfAll(directory)).toBe(6);
    for (const how of ["power", "kill"] as const) {
      directory.crash(how);
      await directory.open();
      expect(await versionOfAll(directory)).toBe(6);
    }
  });

  it("happens by itself", async () => {
    const directory = await overwritten(2);
    const before = segmentBytes(directory);
    await directory.pass(20_000);
    expect(segmentBytes(directory)).toBeLessThan(before / 2);
    expect(await versionOfAll(directory)).toBe(6);
  });

  it("keeps every record for a start that finds no checkpoint", async () => {
    const directory = await overwritten(3);
    await directory.world.runUntilSettled(directory.store.compact());
    await directory.stop();
    directory.crashAndEdit((files) => {
      for (const name of files.keys()) if (name.startsWith("checkpoint-")) files.delete(name);
    }, "kill");
    expect((await directory.open()).usedCheckpoint).toBe(false);
    expect(await versionOfAll(directory)).toBe(6);
    expect(directory.store.damage().isWhole).toBe(true);
  });

  it("holds up no update, and does not undo one that comes meanwhile", async () => {
    const directory = await overwritten(4);
    const compacted = directory.store.compact();
    for (let counter = 7; counter <= 9; counter += 1) {
      const all = names.map((name) => directory.update(name, counter, 100));
      await directory.world.runUntilSettled(Promise.all(all));
    }
    await directory.world.runUntilSettled(compacted);
    expect(await versionOfAll(directory)).toBe(9);
    directory.crash();
    await directory.open();
    expect(await versionOfAll(directory)).toBe(9);
  });

  it("does not spread damage, nor chew on it: it says so, and leaves the segment", async () => {
    const directory = await overwritten(5);
    await directory.restart();
    await directory.updated("key-3.", 6, 2000);
    for (const name of names.slice(4)) await directory.updated(name, 7, 2000);
    directory.rot("key-1.");
    await directory.pass(10_000);
    expect(versionOf(await directory.read("key-1."))).toBe(-1);
    expect(versionOf(await directory.read("key-2."))).toBe(6);
    expect(directory.store.damage().tokens).toHaveLength(1);
    const { bytesCompacted } = directory.store.statistics();
    await directory.pass(60_000);
    expect(directory.store.statistics().bytesCompacted).toBe(bytesCompacted);
    const { partition, token } = placed("key-1.");
    directory.store.markRefilled(partition, token);
    await directory.pass(10_000);
    expect(versionOf(await directory.read("key-1."))).toBe(0);
    directory.crash();
    await directory.open();
    expect(directory.store.damage()).toEqual({ tokens: [], partitions: [], isWhole: true });
  });

  it("remembers damage whose mark is gone with its segment, without a checkpoint", async () => {
    const directory = await overwritten(6);
    await directory.world.runUntilSettled(directory.store.compact());
    await directory.stop();
    // The segments are lost, so that nothing but marks in the log tells of it.
    directory.crashAndEdit((files) => {
      for (const name of files.keys()) if (name.startsWith("log-")) files.delete(name);
    }, "kill");
    await directory.open();
    expect(directory.store.damage()).toMatchObject({ isWhole: false });
    for (let counter = 7; counter <= 12; counter += 1) {
      for (const name of names.slice(4)) await directory.updated(name, counter, 2000);
      await directory.pass(5000);
    }
    expect(directory.store.statistics().compactions).toBeGreaterThan(0);
    await directory.stop();
    directory.crashAndEdit((files) => {
      for (const name of files.keys()) if (name.startsWith("checkpoint-")) files.delete(name);
    }, "kill");
    await directory.open();
    expect(directory.store.damage()).toMatchObject({ isWhole: false });
    expect(await directory.read("key-1.")).toEqual({ state: "unknown" });
  });

  it("ends: what it has written is not worth writing again", async () => {
    const directory = new StoreWorld(8);
    await directory.open();
    await directory.updated("key", 1);
    await directory.restart();
    await directory.world.runUntilSettled(directory.store.compact());
    await directory.pass(60_000);
    expect(directory.store.statistics().compactions).toBeLessThan(2);
    expect(versionOf(await directory.read("key"))).toBe(1);
  });

  it("brings the small segments of many starts together", async () => {
    const directory = new StoreWorld(7);
    await directory.open();
    for (const [start, name] of names.slice(0, 30).entries()) {
      await directory.updated(name, start + 1);
      await directory.restart();
    }
    await directory.world.runUntilSettled(directory.store.compact());
    expect(directory.store.statistics().segments).toBeLessThan(12);
    for (const [start, name] of names.slice(0, 30).entries()) {
      expect(versionOf(await directory.read(name))).toBe(start + 1);
    }
  });
});

describe("the choice of victims", () => {
  const uses = (...list: readonly (readonly [live: number, total: number])[]) =>
    new Map(list.map(([live, total], segment) => [segment, { live, total }]));
  const all = (): boolean => true;

  it.each([
    ["nothing while all is live", uses([1000, 1000], [900, 1000]), []],
    ["what is half dead", uses([500, 1000], [600, 1000]), [0]],
    ["the deadest first", uses([400, 1000], [0, 1000], [200, 1000]), [1, 2, 0]],
    ["no more than fits one segment", uses([500, 1000], [450, 1000], [300, 1000]), [2, 1]],
    ["nothing for a few headers", uses([30, 80]), []],
    ["what is wholly dead, however small", uses([0, 80]), [0]],
    ["a huge one alone", uses([5000, 10_000]), [0]],
    [
      "small ones once there are many",
      uses(...Array.from({ length: 9 }, () => [90, 100] as const)),
      [0, 1, 2, 3, 4, 5, 6, 7],
    ],
    ["no few small ones", uses(...Array.from({ length: 7 }, () => [90, 100] as const)), []],
  ])("takes %s", (_, segments, victims) => {
    expect(chooseVictims(segments, all, 1000)).toEqual(victims);
  });

  it("takes no segment that is still written", () => {
    expect(chooseVictims(uses([0, 1000], [0, 1000]), (segment) => segment !== 0, 1000)).toEqual([
      1,
    ]);
  });
});
