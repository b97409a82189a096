import { latin1 } from "@coterie/core";
import { describe, expect, it } from "vitest";
import { type StoreKind, StoreWorld, placed, storeKinds, version } from "./store-world.ts";

const names = Array.from({ length: 40 }, (_, index) => `key-${index}`);

async function withKeys(kind: StoreKind, cacheBytes?: number): Promise<StoreWorld> {
  const directory = new StoreWorld(1, {
    kind,
    ...(cacheBytes === undefined ? {} : { cacheBytes }),
  });
  await directory.open();
  for (const name of names) expect(await directory.updated(name, 1)).toMatchObject({ ok: true });
  return directory;
}

/** What is found of each of these keys, in few words. */
async function foundOf(
  directory: StoreWorld,
  keys: readonly string[],
  bytesMax: number = Infinity,
): Promise<readonly (readonly string[])[] | "unknown"> {
  const found = await directory.world.runUntilSettled(
    new Promise<readonly (readonly Uint8Array[])[] | "unknown">((resolve) => {
      directory.store.findAll({ places: keys.map((name) => placed(name)), bytesMax }, resolve);
    }),
  );
  if (found === "unknown") return found;
  return found.map((held, at) => {
    const name = keys[at] ?? "";
    const known = [1, 2].map((counter) => latin1(version(name, counter).bytes));
    return held.map((bytes) => `${name}@${known.indexOf(latin1(bytes)) + 1}`);
  });
}

describe.each(storeKinds)("many records at once (%s)", (kind) => {
  it.each([1024, 1024 * 1024])("come in the order asked for (%i bytes of cache)", async (cache) => {
    const directory = await withKeys(kind, cache);
    const asked = [...names.toReversed(), "absent"];
    const expected = [...names.toReversed().map((name) => [`${name}@1`]), []];
    expect(await foundOf(directory, asked)).toEqual(expected);
    expect(await foundOf(directory, [])).toEqual([]);
    await directory.openWithoutCheckpoint("stop");
    expect(await foundOf(directory, asked)).toEqual(expected);
  });

  it("are few reads, if they lie together, and count as records", async () => {
    const directory = await withKeys(kind);
    await directory.openWithoutCheckpoint("stop");
    const { readsFromDisk } = directory.store.statistics();
    const { operations } = directory;
    await foundOf(directory, names);
    expect(directory.operations - operations).toBeLessThan(5);
    const { readsFromDisk: after, readsFromCache } = directory.store.statistics();
    expect(after + readsFromCache - readsFromDisk).toBe(names.length);
  });

  it("are as many as have so many bytes together, and one at least", async () => {
    const directory = await withKeys(kind);
    const { length } = version("key-1", 1).bytes;
    expect(await foundOf(directory, names, 5 * (length + 40))).toHaveLength(5);
    expect(await foundOf(directory, names, 1)).toEqual([["key-0@1"]]);
  });

  it("are durable when they are returned", async () => {
    const directory = await withKeys(kind, 1024 * 1024);
    // What is remembered is overwritten at once, and then waits for the disk.
    let isDurable = false;
    const updating = directory.update("key-3", 2).then(() => {
      isDurable = true;
    });
    expect(await foundOf(directory, ["key-3", "key-4"])).toEqual([["key-3@2"], ["key-4@1"]]);
    expect(isDurable).toBe(true);
    await updating;
    directory.crash("power");
    await directory.open();
    expect(await foundOf(directory, ["key-3"])).toEqual([["key-3@2"]]);
  });

  it("are not what was thrown away while it was read", async () => {
    const directory = await withKeys(kind);
    await directory.openWithoutCheckpoint("stop");
    const { partition } = placed("key-3");
    const [other = ""] = names.filter((name) => placed(name).partition !== partition);
    const finding = foundOf(directory, ["key-3", other]);
    expect(await directory.world.runUntilSettled(directory.store.discard(partition))).toBe(true);
    expect(await finding).toEqual([[], [`${other}@1`]]);
  });

  it("leave out what is damaged, which is then known to be", async () => {
    const directory = await withKeys(kind);
    await directory.stop();
    directory.rot("key-7");
    await directory.open();
    const expected = [["key-6@1"], [], ["key-8@1"]];
    expect(await foundOf(directory, ["key-6", "key-7", "key-8"])).toEqual(expected);
    expect(directory.store.damage().tokens).toHaveLength(1);
    expect(await foundOf(directory, ["key-6", "key-7", "key-8"])).toEqual(expected);
  });

  it("are unknown once the store is closing", async () => {
    const directory = await withKeys(kind);
    const stopping = directory.store.stop();
    expect(await foundOf(directory, names)).toBe("unknown");
    await directory.world.runUntilSettled(stopping);
  });
});
