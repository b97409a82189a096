import { expect, it } from "vitest";
import type { LogStore } from "../src/log-store.ts";
import { StoreWorld, placed, versionOf } from "./store-world.ts";

const names = Array.from({ length: 30 }, (_, key) => `key-${key}.`);

async function sealed(seed: number): Promise<StoreWorld> {
  const directory = new StoreWorld(seed);
  await directory.open();
  for (const name of names) await directory.updated(name, 1, 1000);
  await directory.restart();
  return directory;
}

it("a scrub finds all damage that nobody has asked for, and nothing else", async () => {
  const directory = await sealed(1);
  directory.rot("key-7.");
  directory.rot("key-21.");
  await directory.world.runUntilSettled(directory.store.scrub());
  const found = directory.store.damage().tokens.map(({ token }) => token);
  const expected = ["key-7.", "key-21."].map((name) => placed(name).token);
  expect(found).toHaveLength(2);
  expect(found).toEqual(expect.arrayContaining(expected));
  const { scrubbedBytes, bytesLive } = directory.store.statistics();
  expect(scrubbedBytes).toBeGreaterThanOrEqual(bytesLive);
});

it("a scrub of a sound directory finds nothing, while updates and compaction go on", async () => {
  const directory = await sealed(2);
  const scrubbed = directory.store.scrub();
  const compacted = directory.store.compact();
  const all = names.slice(3).map((name) => directory.update(name, 2, 1000));
  await directory.world.runUntilSettled(Promise.all([scrubbed, compacted, ...all]));
  await directory.world.runUntilSettled(directory.store.scrub());
  expect(directory.store.damage()).toEqual({ tokens: [], partitions: [], isWhole: true });
});

it("what was put over damage while it was read is not all that there was", async () => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const directory = await sealed(seed);
    directory.rot("key-7.");
    const updated = directory.update("key-7.", 2, 1000);
    const read = directory.read("key-7.");
    const found = new Promise((settle) => {
      const { partition, token } = placed("key-7.");
      directory.store.find({ partition, token, evenIfDamaged: false }, settle);
    });
    await directory.world.runUntilSettled(Promise.all([updated, found]));
    expect(await read, `seed ${seed}`).toEqual({ state: "unknown" });
    expect(await found, `seed ${seed}`).toBe("unknown");
    expect(await directory.read("key-7.")).toEqual({ state: "unknown" });
  }
});

it("one unreadable place of the disk costs the records there, not their neighbours", async () => {
  const directory = await sealed(3);
  const { file, offset } = directory.placeOf("key-7.");
  const range = { from: offset, to: offset + 1 };
  directory.disk.inject({ operation: "read", name: file, range, error: "io" });
  await directory.world.runUntilSettled(directory.store.scrub());
  expect(directory.store.damage().tokens).toHaveLength(1);
  expect(versionOf(await directory.read("key-8."))).toBe(1);
});

it("the scrub comes round by itself", async () => {
  const directory = await sealed(4);
  directory.rot("key-7.");
  await directory.pass(2 * 60 * 60 * 1000);
  expect(directory.store.damage().tokens).toHaveLength(1);
});

it("a damaged record that is remembered gives way to what refills it", async () => {
  const directory = new StoreWorld(5, { cacheBytes: 64 * 1024 });
  await directory.open();
  for (const name of names) await directory.updated(name, 1, 1000);
  await directory.restart();
  const key = placed("key-7.");
  const before = await directory.read("key-7.");
  directory.rot("key-7.");
  await directory.world.runUntilSettled(directory.store.scrub());
  expect(await directory.read("key-7.")).toEqual({ state: "unknown" });
  // As a refill does: what others hold is merged into what is held here.
  await directory.world.runUntilSettled(
    new Promise((resolve) => {
      directory.store.update(key, {
        bytes: 1000,
        mayUseReserve: false,
        apply: (held) =>
          held.state === "present" || before.state !== "present" ? undefined : before.stored,
        settle: resolve,
      });
    }),
  );
  directory.store.markRefilled(key.partition, key.token);
  expect(versionOf(await directory.read("key-7."))).toBe(1);
});

it("a scrub finds what is missing: a file, or its end", async () => {
  const directory = await sealed(6);
  await directory.restart();
  for (const name of names.slice(0, 3)) await directory.updated(name, 2, 1000);
  const [first = ""] = directory.files().filter((name) => name.startsWith("log-"));
  // It can still be read through what is open, until the next start.
  expect(versionOf(await directory.read("key-7."))).toBe(1);
  await done(directory, (settle) => directory.disk.remove(first, settle));
  await directory.world.runUntilSettled(directory.store.scrub());
  expect(directory.store.damage().tokens).toHaveLength(names.length - 3);
  expect(versionOf(await directory.read("key-7."))).toBe(-1);
  expect(versionOf(await directory.read("key-2."))).toBe(2);
  expect(directory.events.filter(({ kind }) => kind === "damage")).toHaveLength(1);
  expect(directory.fatal).toBeUndefined();

  const other = await sealed(7);
  const { file, offset } = other.placeOf("key-20.");
  await done(other, (settle) =>
    other.disk.open(file, "existing", (opened) => {
      if (opened.ok) other.disk.truncate(opened.value, offset, settle);
    }),
  );
  await other.world.runUntilSettled(other.store.scrub());
  expect(other.store.damage().tokens).toHaveLength(10);
});

it("a scrub stops the process whose log has lost its file", async () => {
  const directory = await sealed(8);
  const last = directory.files().findLast((name) => name.startsWith("log-")) ?? "";
  await done(directory, (settle) => directory.disk.remove(last, settle));
  await directory.world.runUntilSettled(directory.store.scrub());
  expect(directory.fatal).toContain("gone");
});

it.each([0, 5, 30, 500])("a scrub has a damaged checkpoint written again: byte %i", async (at) => {
  const directory = await sealed(9);
  await directory.restart();
  const isCheckpoint = (name: string): boolean => name.startsWith("checkpoint-");
  const before = directory.files().find(isCheckpoint) ?? "";
  directory.disk.flipBit(before, at);
  await directory.world.runUntilSettled(directory.store.scrub());
  expect(directory.events).toContainEqual(
    expect.objectContaining({ kind: "damage", segment: before }),
  );
  await directory.pass(2000);
  expect(directory.files().find(isCheckpoint)).not.toBe(before);
  directory.crash();
  expect((await directory.open()).usedCheckpoint).toBe(true);
  expect(directory.store.damage()).toEqual({ tokens: [], partitions: [], isWhole: true });
});

it("a scrub corrects what the index says of a record, and the sums of a partition", async () => {
  const directory = await sealed(10);
  await directory.restart();
  const { partition, token } = placed("key-7.");
  const right = directory.store.root(partition, 0);
  const { index } = directory.store as LogStore;
  const [location] = index.find(partition, token);
  if (location === undefined) throw new Error("it is there");
  const { high, low } = location.digest;
  index.move(partition, token, location, { ...location, digest: { high: high ^ 1, low } });
  expect(directory.store.root(partition, 0)).not.toEqual(right);
  await directory.world.runUntilSettled(directory.store.scrub());
  expect(directory.store.root(partition, 0)).toEqual(right);
  expect(directory.store.damage()).toEqual({ tokens: [], partitions: [], isWhole: true });
  expect(directory.events.filter(({ kind }) => kind === "damage")).toHaveLength(1);
});

it.each([1, 2, 3])("one scrub finds what 200 flipped bits have hit (seed %i)", async (seed) => {
  const directory = new StoreWorld(seed);
  const random = directory.world.random.fork("rot");
  const many = Array.from({ length: 300 }, (_, key) => `key-${key}.`);
  await directory.open();
  for (const name of many) await directory.updated(name, 1, 300);
  await directory.restart();
  const { index } = directory.store as LogStore;
  const image = directory.disk.image();
  const hit = [...image.keys()].filter((name) => /^log-0000000[12]|^checkpoint-/u.test(name));
  expect(hit).toHaveLength(3);
  const flipped = new Map<string, Set<number>>(hit.map((name) => [name, new Set()]));
  for (let count = 0; count < 200; count += 1) {
    const name = hit[count % hit.length] as string;
    const used = (image.get(name)?.findLastIndex((byte) => byte !== 0) ?? 0) + 1;
    const bit = random.below(used * 8);
    if (flipped.get(name)?.has(bit) === true) continue;
    flipped.get(name)?.add(bit);
    directory.disk.flipBit(name, Math.floor(bit / 8), bit % 8);
  }
  const isHit = (name: string): boolean => {
    const { partition, token } = placed(name);
    const [location] = index.find(partition, token);
    const file = `log-${String(location?.segment).padStart(8, "0")}.seg`;
    const start = location?.offset ?? 0;
    const end = start + (location?.length ?? 0);
    return [...(flipped.get(file) ?? [])].some((bit) => bit >= start * 8 && bit < end * 8);
  };
  const damaged = many.filter(isHit);
  expect(damaged.length).toBeGreaterThan(50);
  await directory.world.runUntilSettled(directory.store.scrub());
  expect(directory.store.damage().tokens).toHaveLength(damaged.length);
  const reported = directory.events.filter(({ kind }) => kind === "damage");
  expect(reported).toHaveLength(damaged.length + 1);
  const expectRight = async (): Promise<void> => {
    for (const name of many) {
      expect({ name, held: versionOf(await directory.read(name)) }).toEqual({
        name,
        held: damaged.includes(name) ? -1 : 1,
      });
    }
  };
  await expectRight();
  await directory.pass(2000);
  directory.crash();
  expect((await directory.open()).usedCheckpoint).toBe(true);
  await expectRight();
});

function done(directory: StoreWorld, begin: (settle: () => void) => void): Promise<void> {
  return directory.world.runUntilSettled(
    new Promise((resolve) => {
      begin(() => resolve());
    }),
  );
}
