import { SimDisk } from "@coterie/sim";
import { describe, expect, it } from "vitest";
import { StoreWorld, placed, versionOf, withBitFlipped } from "./store-world.ts";

const names = Array.from({ length: 40 }, (_, at) => `key-${at}.`);

async function filled(seed: number): Promise<StoreWorld> {
  const directory = new StoreWorld(seed, { kind: "leveled" });
  await directory.open();
  for (const name of names) expect(await directory.updated(name, 1)).toMatchObject({ ok: true });
  return directory;
}

async function versionsOf(directory: StoreWorld): Promise<readonly number[]> {
  const versions: number[] = [];
  for (const name of names) versions.push(versionOf(await directory.read(name)));
  return versions;
}

const all = names.map(() => 1);

describe("a row of an engine that is damaged", () => {
  it.each(["records", "counted"] as const)("is never taken for absent (%s gone)", async (kind) => {
    const directory = await filled(1);
    await directory.stop();
    directory.editRow(kind, "key-7.", () => undefined);
    await directory.open();
    const held = await directory.read("key-7.");
    expect(held.state).toBe(kind === "records" ? "unknown" : "present");
    expect(await directory.read("nobody")).toEqual({ state: "absent" });
  });

  it.each(["records", "counted"] as const)("is unknown, or mended (%s rotten)", async (kind) => {
    const directory = await filled(2);
    await directory.stop();
    directory.editRow(kind, "key-7.", withBitFlipped);
    await directory.open();
    const { partition } = placed("key-7.");
    const listed = await directory.list(partition);
    expect(listed).toHaveLength(directory.store.root(partition, 0).count);
    const held = await directory.read("key-7.");
    expect(held.state).toBe(kind === "records" ? "unknown" : "present");
    expect(directory.store.damage().isWhole).toBe(true);
  });

  it("is written anew by a refill, and stays sound", async () => {
    const directory = await filled(3);
    await directory.stop();
    directory.rot("key-7.");
    directory.rot("key-8.");
    await directory.open();
    await directory.world.runUntilSettled(directory.store.scrub());
    const tokens = [placed("key-7."), placed("key-8.")];
    expect(directory.store.damage().tokens).toHaveLength(2);
    await directory.updated("key-7.", 2);
    expect(await directory.read("key-7.")).toEqual({ state: "unknown" });
    for (const { partition, token } of tokens) directory.store.markRefilled(partition, token);
    await directory.pass(100);
    for (let start = 0; start < 2; start += 1) {
      expect(versionOf(await directory.read("key-7."))).toBe(2);
      // Nobody had it: it is nobody's any more.
      expect(versionOf(await directory.read("key-8."))).toBe(0);
      await directory.world.runUntilSettled(directory.store.scrub());
      expect(directory.store.damage()).toEqual({ tokens: [], partitions: [], isWhole: true });
      await directory.restart();
    }
    expect(directory.store.keys).toBe(names.length - 1);
  });
});

describe("an engine", () => {
  it("that has not flushed yet what it shows keeps what the log has of it", async () => {
    const directory = await filled(9);
    // Some segments of the log, of which the engine then has all.
    for (const name of names) await directory.updated(name, 2, 18_000);
    directory.engine.faults.push({ operation: "flush", error: "full", times: 99 });
    await directory.world.runUntilSettled(directory.store.compact());
    directory.crash("kill");
    directory.engine.faults.push({ operation: "flush", error: "full", times: 99 });
    await directory.tryOpen();
    // Only now what was written and not flushed is gone.
    directory.crash("power");
    directory.engine.forgetUnflushed();
    await directory.open();
    expect(directory.store.damage().isWhole).toBe(true);
    expect(await versionsOf(directory)).toEqual(names.map(() => 2));
  });

  it("that was lost is no reason to say that anything is absent", async () => {
    const directory = await filled(4);
    for (const name of names) await directory.updated(name, 1, 18_000);
    await directory.restart();
    directory.engine.edit(() => undefined);
    directory.crash("kill");
    await directory.open();
    expect(directory.store.damage().isWhole).toBe(false);
    expect(await directory.read("key-7.")).toEqual({ state: "unknown" });
  });

  it("that is lost before the log has gone costs nothing", async () => {
    const directory = await filled(5);
    await directory.world.runUntilSettled(directory.store.compact());
    directory.crash("kill");
    directory.engine.edit(() => undefined);
    await directory.open();
    expect(await versionsOf(directory)).toEqual(all);
    expect(directory.store.damage().isWhole).toBe(true);
  });

  it("that had to be repaired leaves everything unknown until it is refilled", async () => {
    const directory = await filled(6);
    await directory.stop();
    directory.engine.faults.push({ operation: "open", error: "corrupt", times: 1 });
    directory.editRow("records", "key-7.", () => undefined);
    directory.editRow("counted", "key-7.", () => undefined);
    await directory.open();
    expect(directory.store.damage().isWhole).toBe(false);
    expect(directory.store.keys).toBe(names.length - 1);
    await directory.updated("key-7.", 2);
    directory.store.markWhole();
    await directory.pass(100);
    await directory.restart();
    expect(versionOf(await directory.read("key-7."))).toBe(2);
    expect(versionOf(await directory.read("key-8."))).toBe(1);
    expect(directory.store.keys).toBe(names.length);
  });

  it("that cannot be written to stops the process, and costs nothing", async () => {
    const directory = await filled(7);
    directory.engine.faults.push({ operation: "write", error: "io", times: 1 });
    void directory.store.compact();
    await directory.pass(200);
    expect(directory.fatal).toContain("writing to the engine failed");
    directory.crash("power");
    await directory.open();
    expect(await versionsOf(directory)).toEqual(all);
  });

  it("that finds the disk full has puts refused until there is room", async () => {
    const directory = await filled(8);
    directory.engine.faults.push({ operation: "write", error: "full", times: 1 });
    void directory.store.compact();
    await directory.pass(200);
    expect(await directory.updated("key-1.", 2)).toEqual({ ok: false, code: "disk-full" });
    expect(await directory.world.runUntilSettled(directory.update("key-2.", 2, 100, true))).toEqual(
      {
        ok: true,
        changed: true,
      },
    );
    await directory.pass(3000);
    expect(await directory.updated("key-1.", 3)).toMatchObject({ ok: true });
    directory.crash("power");
    await directory.open();
    expect((await versionsOf(directory)).slice(0, 4)).toEqual([1, 3, 2, 1]);
  });

  it.each([9, 10, 11])("that says it flushed, and did not, is found out (%i)", async (seed) => {
    const directory = await filled(seed);
    directory.engine.flush = (settle) => {
      directory.clock.afterTurn(() => settle({ ok: true, value: undefined }));
    };
    for (const name of names) await directory.updated(name, 1, 18_000);
    await directory.world.runUntilSettled(directory.store.compact());
    directory.engine.forgetUnflushed();
    directory.crash("power");
    await directory.open();
    expect(directory.store.damage().isWhole).toBe(false);
  });
});

it("what memory is for is spilled into the engine, and the log goes", async () => {
  const directory = new StoreWorld(10, { kind: "leveled", queueBytesMax: 8 * 1024 * 1024 });
  await directory.open();
  for (let round = 0; round < 30; round += 1) {
    const updates = names.map((name) => directory.update(`${name}${round}`, 1, 18_000));
    await directory.world.runUntilSettled(Promise.all(updates));
  }
  await directory.pass(5000);
  const { compactions, indexBytes, keys, segments } = directory.store.statistics();
  expect(compactions).toBeGreaterThan(0);
  expect(indexBytes).toBeLessThan(9 * 1024 * 1024);
  expect(keys).toBe(30 * names.length);
  expect(segments).toBeLessThan(400);
  expect(versionOf(await directory.read("key-3.0"))).toBe(1);
  directory.crash("power");
  await directory.open();
  expect(directory.store.keys).toBe(30 * names.length);
  expect(versionOf(await directory.read("key-3.29"))).toBe(1);
});

it.each(["log", "leveled"] as const)("a directory of engine %s is no other's", async (kind) => {
  const directory = new StoreWorld(11, { kind });
  await directory.open();
  await directory.updated("key", 1);
  await directory.stop();
  const other = new StoreWorld(11, { kind: kind === "log" ? "leveled" : "log" });
  other.disk = SimDisk.holding(other.world, directory.disk.image(), {});
  expect(await other.tryOpen()).toMatchObject({ ok: false, code: "other-engine" });
  await directory.open();
  expect(versionOf(await directory.read("key"))).toBe(1);
});
