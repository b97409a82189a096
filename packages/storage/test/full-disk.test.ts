import { describe, expect, it } from "vitest";
import type { UpdateOutcome } from "../src/index.ts";
import { StoreWorld, versionOf } from "./store-world.ts";

const kilobyte = 1024;
const diskFull = { ok: false, code: "disk-full" };
const options = { segmentBytes: 64 * kilobyte, reserveBytes: 512 * kilobyte };

/** A directory whose disk refused a put; `taken` are the keys that were acknowledged before. */
async function full(
  seed: number,
): Promise<{ readonly directory: StoreWorld; readonly taken: readonly string[] }> {
  const directory = new StoreWorld(seed, options, 2048 * kilobyte);
  await directory.open();
  await directory.pass(100);
  const taken: string[] = [];
  for (let key = 0; ; key += 1) {
    const outcome = await directory.updated(`key-${key}`, 1, 10 * kilobyte);
    if (!outcome.ok) {
      expect(outcome).toEqual(diskFull);
      return { directory, taken };
    }
    taken.push(`key-${key}`);
  }
}

/** An update that may use the reserve, and leaves something small: as a delete does. */
function remove(directory: StoreWorld, name: string): Promise<UpdateOutcome> {
  return directory.world.runUntilSettled(directory.update(name, 2, 10, true));
}

describe("a full disk", () => {
  it("refuses puts, serves reads, and lets deletes use the reserve", async () => {
    const { directory, taken } = await full(1);
    expect(taken.length).toBeGreaterThan(50);
    expect(directory.store.statistics().isDiskFull).toBe(true);
    expect(directory.events).toContainEqual({ kind: "disk-full" });
    expect(versionOf(await directory.read("key-0"))).toBe(1);
    for (const name of taken.slice(0, 10)) {
      expect(await remove(directory, name)).toEqual({ ok: true, changed: true });
    }
    expect(directory.files()).not.toContain("reserve");
    expect(await directory.updated("another", 1)).toEqual(diskFull);
    expect(directory.fatal).toBeUndefined();
  });

  it("lends the reserve to another store, once, and refuses puts from then on", async () => {
    const directory = new StoreWorld(7, options, 2048 * kilobyte);
    await directory.open();
    await directory.pass(1000);
    const { store, world } = directory;
    expect(directory.files()).toContain("reserve");
    expect(await world.runUntilSettled(store.lendReserve())).toBe(true);
    expect(directory.files()).not.toContain("reserve");
    expect(store.statistics().isDiskFull).toBe(true);
    expect(await directory.updated("key", 1)).toEqual(diskFull);
    expect(await world.runUntilSettled(store.lendReserve())).toBe(false);
    await directory.pass(5000);
    expect(directory.files()).toContain("reserve");
    expect(await directory.updated("key", 1)).toEqual({ ok: true, changed: true });
  });

  it("borrows another store's reserve when its own is spent, for what may use it", async () => {
    const capacity = 1024 * kilobyte;
    let asked = 0;
    const borrowReserve = (): Promise<boolean> => {
      asked += 1;
      directory.disk.capacityBytes = 2 * capacity;
      return Promise.resolve(true);
    };
    const directory: StoreWorld = new StoreWorld(
      8,
      { ...options, reserveBytes: 0, borrowReserve },
      capacity,
    );
    await directory.open();
    let taken = 0;
    while (asked === 0) {
      const update = directory.update(`key-${taken}`, 1, 10 * kilobyte, true);
      expect(await directory.world.runUntilSettled(update)).toEqual({ ok: true, changed: true });
      taken += 1;
    }
    expect(taken).toBeGreaterThan(50);
    for (let key = 0; key < taken; key += 1) {
      expect(versionOf(await directory.read(`key-${key}`))).toBe(1);
    }
  });

  it("recovers by itself when deletes make room: compaction frees it", async () => {
    const { directory, taken } = await full(2);
    for (const name of taken) {
      expect(await remove(directory, name)).toEqual({ ok: true, changed: true });
    }
    await directory.pass(60_000);
    expect(directory.store.statistics().isDiskFull).toBe(false);
    expect(directory.events).toContainEqual({ kind: "disk-space-back" });
    expect(directory.files()).toContain("reserve");
    expect(await directory.updated("another", 1)).toEqual({ ok: true, changed: true });
    for (const name of taken) expect(versionOf(await directory.read(name))).toBe(2);
  });

  it("recovers by itself when somebody else makes room", async () => {
    const { directory } = await full(3);
    directory.disk.capacityBytes = 8192 * kilobyte;
    await directory.pass(5000);
    expect(directory.store.statistics().isDiskFull).toBe(false);
    expect(await directory.updated("another", 1)).toEqual({ ok: true, changed: true });
  });

  it("keeps all that was acknowledged through a crash and a start", async () => {
    const { directory, taken } = await full(4);
    directory.crash("power");
    const outcome = await directory.tryOpen();
    expect(outcome).toMatchObject({ ok: true, report: { damagedRecords: 0 } });
    for (const name of taken) expect(versionOf(await directory.read(name))).toBe(1);
    await directory.pass(100);
    expect(await remove(directory, "key-0")).toEqual({ ok: true, changed: true });
  });

  it("refuses deletes too when the reserve is used up, and no one waits for ever", async () => {
    const { directory, taken } = await full(5);
    let last: UpdateOutcome = { ok: true, changed: true };
    for (let round = 0; last.ok && round < 2000; round += 1) {
      const name = taken[round % taken.length] as string;
      const update = directory.update(name, 2 + round, 5 * kilobyte, true);
      last = await directory.world.runUntilSettled(update);
    }
    expect(last).toEqual(diskFull);
    directory.disk.capacityBytes = 8192 * kilobyte;
    await directory.pass(60_000);
    expect(await directory.updated("another", 1)).toEqual({ ok: true, changed: true });
  });

  it("stops cleanly as far as it can", async () => {
    const { directory, taken } = await full(6);
    const { actor } = directory.store;
    await directory.restart();
    expect(directory.store.actor).toBe(actor);
    for (const name of taken) expect(versionOf(await directory.read(name))).toBe(1);
  });
});
