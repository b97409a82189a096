import type { Disk, DiskOutcome, File, Settle } from "@coterie/ports";
import { describe, expect, it } from "vitest";
import { SimDisk, World } from "../src/index.ts";
import { drain } from "./drain.ts";

const worldOf = (seed: number): World => new World({ seed, drain });

/** Runs one operation to its end. */
function settled<Value>(
  world: World,
  start: (settle: Settle<Value>) => void,
): Promise<DiskOutcome<Value>> {
  return world.runUntilSettled(new Promise<DiskOutcome<Value>>((resolve) => start(resolve)));
}

async function create(world: World, disk: Disk, name: string): Promise<File> {
  const outcome = await settled<File>(world, (settle) => disk.open(name, "create", settle));
  if (!outcome.ok) throw new Error(outcome.message);
  return outcome.value;
}

/** A file whose entry and first content are durable. */
async function durableFile(world: World, disk: Disk, content: Uint8Array): Promise<File> {
  const file = await create(world, disk, "file");
  await settled(world, (settle) => disk.write(file, 0, content, settle));
  await settled(world, (settle) => disk.sync(file, settle));
  await settled(world, (settle) => disk.syncDirectory(settle));
  return file;
}

const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);

/** What became of a second write that was not synced, as one word. */
async function fateOfUnsynced(seed: number): Promise<string> {
  const world = worldOf(seed);
  const disk = new SimDisk(world);
  const file = await durableFile(world, disk, filled(2048, 1));
  await settled(world, (settle) => disk.write(file, 0, filled(2048, 2), settle));
  disk.crash();
  const bytes = disk.reopen().image().get("file") ?? filled(0, 0);
  expect(bytes.length).toBe(2048);
  const sectors = [0, 1, 2, 3].map((at) => new Set(bytes.subarray(at * 512, at * 512 + 512)));
  if (sectors.some((sector) => sector.size > 1)) return "torn within a sector";
  return sectors.map((sector) => [...sector][0]).join("");
}

describe("a crash", () => {
  it("keeps what was synced, for every seed", async () => {
    for (let seed = 0; seed < 30; seed++) {
      const world = worldOf(seed);
      const disk = new SimDisk(world);
      await durableFile(world, disk, filled(3000, 7));
      disk.crash();
      expect(disk.image().get("file")).toEqual(filled(3000, 7));
    }
  });

  it("keeps, loses or tears what was not synced", async () => {
    const fates = new Set<string>();
    for (let seed = 0; seed < 200; seed++) fates.add(await fateOfUnsynced(seed));
    for (const fate of ["1111", "2222", "2211", "1122", "torn within a sector"]) {
      expect(fates).toContain(fate);
    }
  });

  it("may forget a file whose directory entry was not synced", async () => {
    const remaining = new Set<boolean>();
    for (let seed = 0; seed < 40; seed++) {
      const world = worldOf(seed);
      const disk = new SimDisk(world);
      const file = await create(world, disk, "file");
      await settled(world, (settle) => disk.sync(file, settle));
      disk.crash();
      remaining.add(disk.image().has("file"));
    }
    expect(remaining.size).toBe(2);
  });

  it("never gives a file two names when a rename is undone", async () => {
    for (let seed = 0; seed < 100; seed++) {
      const world = worldOf(seed);
      const disk = new SimDisk(world);
      await durableFile(world, disk, filled(1, 1));
      await settled(world, (settle) => disk.rename("file", "second", settle));
      await settled(world, (settle) => disk.rename("second", "third", settle));
      disk.crash();
      expect(disk.image().size).toBe(1);
    }
  });

  it("settles nothing any more, and what was under way may have happened", async () => {
    const remaining = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const world = worldOf(seed);
      const disk = new SimDisk(world);
      const file = await durableFile(world, disk, filled(1, 1));
      let settles = 0;
      const count = (): number => settles++;
      disk.write(file, 0, filled(1, 2), count);
      disk.sync(file, count);
      disk.crash("kill");
      disk.read(file, 0, 1, count);
      await world.run();
      expect(settles).toBe(0);
      remaining.add(String(disk.image().get("file")));
    }
    expect(remaining).toEqual(new Set(["1", "2"]));
  });

  it("leaves the written bytes to the next process when only the process died", async () => {
    const world = worldOf(1);
    const disk = new SimDisk(world);
    await settled(world, (settle) => disk.lock(settle));
    const file = await create(world, disk, "file");
    await settled(world, (settle) => disk.write(file, 0, filled(9, 9), settle));
    disk.crash("kill");
    const next = disk.reopen();
    expect(next.image().get("file")).toEqual(filled(9, 9));
    expect(await settled(world, (settle) => next.lock(settle))).toMatchObject({ ok: true });
  });

  it("covers by a sync only what was written when it was called", async () => {
    const remaining = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const world = worldOf(seed);
      const disk = new SimDisk(world);
      const file = await durableFile(world, disk, filled(1, 1));
      disk.slowdown = 100;
      const synced = new Promise((resolve) => disk.sync(file, resolve));
      disk.slowdown = 0;
      await settled(world, (settle) => disk.write(file, 0, filled(1, 2), settle));
      await world.runUntilSettled(synced);
      disk.crash();
      remaining.add(String(disk.image().get("file")));
    }
    expect(remaining).toEqual(new Set(["1", "2"]));
  });
});

describe("faults", () => {
  it("fail a sync, after which no later sync brings the content back", async () => {
    const remaining = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const world = worldOf(seed);
      const disk = new SimDisk(world);
      const file = await durableFile(world, disk, filled(1, 1));
      await settled(world, (settle) => disk.write(file, 0, filled(1, 2), settle));
      disk.inject({ operation: "sync", error: "io", times: 1 });
      const sync = (settle: Settle): void => disk.sync(file, settle);
      expect(await settled(world, sync)).toMatchObject({ ok: false, error: "io" });
      expect(await settled(world, sync)).toMatchObject({ ok: true });
      disk.crash();
      remaining.add(String(disk.image().get("file")));
    }
    expect(remaining).toEqual(new Set(["1", "2"]));
  });

  it("strike the file and the range they name, until they are taken back", async () => {
    const world = worldOf(1);
    const disk = new SimDisk(world);
    const file = await durableFile(world, disk, filled(100, 1));
    const heal = disk.inject({
      operation: "read",
      name: "file",
      range: { from: 50, to: 60 },
      error: "io",
    });
    const read = (position: number): Promise<DiskOutcome<Uint8Array>> =>
      settled(world, (settle) => disk.read(file, position, 10, settle));
    expect((await read(40)).ok).toBe(true);
    expect((await read(41)).ok).toBe(false);
    expect((await read(59)).ok).toBe(false);
    expect((await read(60)).ok).toBe(true);
    heal();
    expect((await read(55)).ok).toBe(true);
  });

  it("fill the disk, until something is removed", async () => {
    const world = worldOf(1);
    const disk = new SimDisk(world, { capacityBytes: 16_384 });
    const file = await durableFile(world, disk, filled(12_288, 1));
    const write = (position: number): Promise<DiskOutcome> =>
      settled(world, (settle) => disk.write(file, position, filled(8192, 2), settle));
    expect(await settled(world, (settle) => disk.free(settle))).toEqual({ ok: true, value: 4096 });
    expect(await write(12_288)).toMatchObject({ ok: false, error: "full" });
    expect(await write(0)).toMatchObject({ ok: true });
    await settled(world, (settle) => disk.truncate(file, 4096, settle));
    expect(await write(4096)).toMatchObject({ ok: true });
  });

  it("give no room for a file that was only made longer", async () => {
    const world = worldOf(1);
    const disk = new SimDisk(world, { capacityBytes: 4096 });
    const file = await create(world, disk, "sparse");
    await settled(world, (settle) => disk.truncate(file, 1_000_000, settle));
    expect(await settled(world, (settle) => disk.size(file, settle))).toMatchObject({
      value: 1_000_000,
    });
    const outcome = await settled(world, (settle) =>
      disk.write(file, 500_000, filled(5000, 1), settle),
    );
    expect(outcome).toMatchObject({ ok: false, error: "full" });
  });

  it("flip a bit, on the disk too", async () => {
    const world = worldOf(1);
    const disk = new SimDisk(world);
    await durableFile(world, disk, filled(10, 0));
    disk.flipBit("file", 3, 4);
    disk.crash();
    expect(disk.image().get("file")?.[3]).toBe(16);
  });
});

describe("a disk's image", () => {
  it("rolls the disk back, and an empty one wipes it", async () => {
    const world = worldOf(1);
    const disk = new SimDisk(world);
    const file = await durableFile(world, disk, filled(4, 1));
    const image = disk.image();
    await settled(world, (settle) => disk.write(file, 0, filled(4, 2), settle));
    await settled(world, (settle) => disk.sync(file, settle));
    disk.crash();
    disk.restore(image);
    const rolledBack = disk.reopen();
    expect(rolledBack.image()).toEqual(image);
    rolledBack.crash();
    rolledBack.restore(new Map());
    expect(await settled(world, (settle) => rolledBack.reopen().list(settle))).toMatchObject({
      value: [],
    });
  });
});

describe("determinism", () => {
  it("gives the same trace for the same seed, and another for another", async () => {
    const run = async (seed: number): Promise<string> => {
      const world = worldOf(seed);
      const disk = new SimDisk(world);
      const file = await durableFile(world, disk, filled(100, 1));
      for (let at = 0; at < 20; at++) disk.write(file, at * 10, filled(10, at), () => {});
      await world.run();
      disk.crash();
      world.trace(String(disk.image().get("file")));
      return world.traceHash();
    };
    expect(await run(1)).toBe(await run(1));
    expect(await run(1)).not.toBe(await run(2));
  });
});
