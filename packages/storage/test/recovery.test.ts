import { DeadWrites, VersionVector, crc32c, encodeRecord, hybridTimeZero } from "@coterie/core";
import { describe, expect, it } from "vitest";
import { entryKinds, saltBytes } from "../src/log/format.ts";
import { Group } from "../src/log/group.ts";
import { StoreWorld, placed, version, versionOf } from "./store-world.ts";

const keys = Array.from({ length: 20 }, (_, key) => `key-${key}.`);

async function filled(seed: number): Promise<StoreWorld> {
  const directory = new StoreWorld(seed);
  await directory.open();
  for (const name of keys) await directory.updated(name, 1);
  return directory;
}

function isSegment(name: string): boolean {
  return name.startsWith("log-");
}

function withRot(bytes: Uint8Array, at: number): Uint8Array {
  const rotten = bytes.slice();
  rotten[at] = (rotten[at] as number) ^ 1;
  return rotten;
}

function dropCheckpoints(files: Map<string, Uint8Array>): void {
  for (const name of files.keys()) if (name.startsWith("checkpoint-")) files.delete(name);
}

async function versionsOf(directory: StoreWorld): Promise<readonly number[]> {
  const versions: number[] = [];
  for (const name of keys) versions.push(versionOf(await directory.read(name)));
  return versions;
}

const allOnes = keys.map(() => 1);

/** Bytes in use of a preallocated segment. */
function usedBytes(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}

describe("a torn end", () => {
  it("is cut to the last whole group, and everything before it stays", async () => {
    const directory = await filled(1);
    directory.crashAndEdit((files) => {
      const [, bytes] = [...files].find(([name]) => isSegment(name)) ?? [];
      const used = usedBytes(bytes as Uint8Array);
      // The last group lost its last sector, and its first bytes are there.
      (bytes as Uint8Array).fill(0, used - 30, used);
    }, "kill");
    const report = await directory.open();
    expect(report.bytesCut).toBeGreaterThan(0);
    expect(report.damagedRecords).toBe(0);
    expect(await versionsOf(directory)).toEqual([...allOnes.slice(1), 0]);
    expect(directory.store.damage().isWhole).toBe(true);
    const again = await directory.restart();
    expect(again.bytesCut).toBe(0);
    expect(await versionsOf(directory)).toEqual([...allOnes.slice(1), 0]);
  });

  it("of several records keeps none of them: nobody was promised any", async () => {
    const directory = await filled(2);
    const together = keys.map((name) => `new-${name}`);
    const all = together.map((name) => directory.update(name, 1));
    await directory.world.runUntilSettled(Promise.all(all));
    directory.crashAndEdit((files) => {
      const [, bytes] = [...files].find(([name]) => isSegment(name)) ?? [];
      const used = usedBytes(bytes as Uint8Array);
      (bytes as Uint8Array).fill(0, used - 30, used);
    }, "kill");
    for (let start = 0; start < 2; start += 1) {
      await directory.open();
      expect(await versionsOf(directory)).toEqual(allOnes);
      for (const name of together) expect(versionOf(await directory.read(name))).toBe(0);
      expect(directory.store.damage()).toEqual({ tokens: [], partitions: [], isWhole: true });
      await directory.stop();
    }
  });

  it("is told from rot in spite of a group that a client wrote into a value", async () => {
    const directory = await filled(17);
    const forged = new Group(1, 0, new Uint8Array(64));
    forged.append(entryKinds.record, 2 ** 40, version("victim", 9).bytes);
    const value = forged.finish(2 ** 40, new Uint8Array(saltBytes));
    const dot = { actor: "00000000000000bb" as never, counter: 1 };
    const sibling = {
      dots: [dot],
      value,
      contentType: "",
      writtenAt: hybridTimeZero,
      writeId: undefined,
      expiresAtMs: undefined,
    };
    const record = {
      clock: VersionVector.of([dot]),
      siblings: [sibling],
      deadWrites: DeadWrites.none,
    };
    const stored = { record, bytes: encodeRecord(placed("attack"), record) };
    const put = new Promise((settle) => {
      const apply = (): typeof stored => stored;
      directory.store.update(placed("attack"), { bytes: 999, mayUseReserve: false, apply, settle });
    });
    await directory.world.runUntilSettled(put);
    const { file, offset } = directory.placeOf("attack");
    directory.crashAndEdit((files) => {
      // The first sector of the group did not reach the disk, the rest did.
      files.get(file)?.fill(0, offset - 14 - 15 - 32 + 1, offset);
    }, "kill");
    const report = await directory.open();
    expect(report.bytesCut).toBeGreaterThan(value.length);
    expect(directory.store.damage()).toEqual({ tokens: [], partitions: [], isWhole: true });
    expect(await directory.read("victim")).toEqual({ state: "absent" });
  });

  it("is told from rot when the log goes on in another segment", async () => {
    const directory = await filled(3);
    const first = directory.files().find(isSegment) ?? "";
    directory.crash("kill");
    await directory.open();
    await directory.updated("later", 1);
    directory.crashAndEdit((files) => {
      const bytes = files.get(first) as Uint8Array;
      const used = usedBytes(bytes);
      bytes.fill(0xff, used - 30, used);
    }, "kill");
    const report = await directory.open();
    expect(report.bytesCut).toBe(0);
    expect(directory.store.damage().isWhole).toBe(false);
    expect(await directory.read(keys.at(-1) as string)).toEqual({ state: "unknown" });
  });
});

describe("rot in the middle", () => {
  it("makes its key unknown, and no other, when a checkpoint names it", async () => {
    const directory = await filled(4);
    await directory.restart();
    directory.rot("key-7.");
    expect((await directory.restart()).usedCheckpoint).toBe(true);
    const expected = keys.map((_, key) => (key === 7 ? -1 : 1));
    expect(await versionsOf(directory)).toEqual(expected);
    const { partition, token } = placed("key-7.");
    expect(directory.store.damage()).toEqual({
      tokens: [{ partition, token }],
      partitions: [],
      isWhole: true,
    });
    await directory.restart();
    expect(directory.store.damage()).toEqual({
      tokens: [{ partition, token }],
      partitions: [],
      isWhole: true,
    });
    // It was refilled: with what others hold, or with nothing.
    expect(await directory.updated("key-7.", 2)).toEqual({ ok: true, changed: true });
    directory.store.markRefilled(partition, token);
    expect(versionOf(await directory.read("key-7."))).toBe(2);
    await directory.restart();
    expect(directory.store.damage()).toEqual({ tokens: [], partitions: [], isWhole: true });
    expect(versionOf(await directory.read("key-7."))).toBe(2);
  });

  it.each(["kill", "stop"] as const)("is forgotten once nobody has more (%s)", async (how) => {
    const directory = await filled(5);
    await directory.restart();
    directory.rot("key-7.");
    expect(await directory.read("key-7.")).toEqual({ state: "unknown" });
    const { partition, token } = placed("key-7.");
    directory.store.markRefilled(partition, token);
    expect(await directory.read("key-7.")).toEqual({ state: "absent" });
    await directory.pass(20);
    if (how === "kill") directory.crash("kill");
    else await directory.stop();
    await directory.open();
    expect(await directory.read("key-7.")).toEqual({ state: "absent" });
    expect(directory.store.damage()).toEqual({ tokens: [], partitions: [], isWhole: true });
  });

  it("makes everything unknown when nobody can say whom it hit", async () => {
    const directory = await filled(6);
    directory.rot("key-7.");
    directory.crash("power");
    const report = await directory.open();
    expect(report.usedCheckpoint).toBe(false);
    expect(directory.store.damage()).toEqual({ tokens: [], partitions: [], isWhole: false });
    expect(await versionsOf(directory)).toEqual(keys.map(() => -1));
    // Repair is given what is left, and an update merges with it.
    const { partition, token } = placed("key-3.");
    const left = await directory.world.runUntilSettled(
      new Promise((resolve) => {
        directory.store.find({ partition, token, evenIfDamaged: true }, resolve);
      }),
    );
    expect(left).toHaveLength(1);
    await directory.restart();
    expect(directory.store.damage().isWhole).toBe(false);
    directory.store.markWhole();
    const expected = keys.map((_, key) => (key === 7 ? 0 : 1));
    expect(await versionsOf(directory)).toEqual(expected);
    await directory.restart();
    expect(await versionsOf(directory)).toEqual(expected);
  });

  it("of a length only costs its own entry", async () => {
    const directory = await filled(7);
    const all = keys.map((name) => directory.update(name, 2));
    await directory.world.runUntilSettled(Promise.all(all));
    await directory.updated("last", 1);
    const { file, offset } = directory.placeOf("key-7.");
    // The body begins with 14 bytes before the key; the entry with 15 before the body.
    directory.disk.flipBit(file, offset - 14 - 15 - 1, 3);
    directory.crash("kill");
    await directory.open();
    directory.store.markWhole();
    const versions = await versionsOf(directory);
    expect(versions.filter((each) => each === 2).length).toBeGreaterThanOrEqual(7);
    expect(versions.every((each) => each > 0)).toBe(true);
  });
});

describe("files", () => {
  it.each<[string, (bytes: Uint8Array) => Uint8Array | undefined]>([
    ["there is no checkpoint", () => undefined],
    ["its head is damaged", (bytes) => withRot(bytes, 30)],
    ["its last partition is damaged", (bytes) => withRot(bytes, bytes.length - 1)],
    ["it is cut within its last partition", (bytes) => bytes.slice(0, -4)],
    ["it is cut before its last partition", (bytes) => bytes.slice(0, -40)],
    ["it goes on behind its end", (bytes) => Uint8Array.from([...bytes, 0])],
    ["it is empty", () => new Uint8Array(0)],
  ])("are read whole when %s", async (_, edit) => {
    const directory = await filled(8);
    await directory.stop();
    directory.crashAndEdit((files) => {
      for (const [name, bytes] of files) {
        if (!name.startsWith("checkpoint-")) continue;
        const edited = edit(bytes);
        if (edited === undefined) files.delete(name);
        else files.set(name, edited);
      }
    }, "kill");
    const report = await directory.open();
    expect(report).toMatchObject({ usedCheckpoint: false, recordsRead: 20, wasCleanStop: true });
    expect(await versionsOf(directory)).toEqual(allOnes);
    expect(directory.store.statistics().keys).toBe(20);
  });

  it("are not read when there is one", async () => {
    const directory = await filled(9);
    const report = await directory.restart();
    expect(report).toMatchObject({ usedCheckpoint: true, recordsRead: 0, wasCleanStop: true });
    expect(await versionsOf(directory)).toEqual(allOnes);
  });

  it("of an older checkpoint are worse than none", async () => {
    const directory = await filled(10);
    await directory.stop();
    const old = [...directory.disk.image()].find(([name]) => name.startsWith("checkpoint-"));
    await directory.open();
    // Makes the first segment dead, so that compaction moves and removes.
    for (let round = 2; round < 5; round += 1) {
      for (const name of keys) await directory.updated(name, round);
      await directory.restart();
    }
    await directory.world.runUntilSettled(directory.store.compact());
    await directory.stop();
    directory.crashAndEdit((files) => {
      const newest = [...files.keys()].filter((name) => name.startsWith("checkpoint-")).at(-1);
      const bytes = files.get(newest ?? "") as Uint8Array;
      bytes[40] = (bytes[40] as number) ^ 1;
      if (old !== undefined) files.set(old[0], old[1]);
    }, "kill");
    await directory.open();
    expect(await versionsOf(directory)).toEqual(keys.map(() => 4));
    expect(directory.store.damage().isWhole).toBe(true);
  });

  it.each([
    ["magic", 0],
    ["kind", 12],
    ["salt", 21],
    ["checksum", 29],
  ])("survive rot in a segment's header: %s", async (_, offset) => {
    const directory = await filled(11);
    const file = directory.files().find(isSegment) ?? "";
    directory.disk.flipBit(file, offset);
    directory.crash("power");
    await directory.open();
    expect(await versionsOf(directory)).toEqual(allOnes);
  });

  it("survive rot in the seal of a compacted segment", async () => {
    const directory = await filled(12);
    for (let round = 2; round < 5; round += 1) {
      for (const name of keys.slice(1)) await directory.updated(name, round);
      await directory.restart();
    }
    await directory.world.runUntilSettled(directory.store.compact());
    await directory.stop();
    directory.crashAndEdit((files) => {
      dropCheckpoints(files);
      for (const [name, bytes] of files) {
        if (isSegment(name) && bytes[12] === 1) bytes[bytes.length - 1] = 0xaa;
      }
    }, "kill");
    await directory.open();
    expect(directory.store.damage().isWhole).toBe(false);
    directory.store.markWhole();
    expect(await versionsOf(directory)).toEqual([1, ...keys.slice(1).map(() => 4)]);
  });

  it("that are gone make unknown what was in them", async () => {
    const directory = await filled(13);
    await directory.restart();
    await directory.updated("key-0.", 2);
    const first = directory.files().find(isSegment) ?? "";
    await directory.stop();
    directory.crashAndEdit((files) => {
      files.delete(first);
    }, "kill");
    await directory.open();
    expect(directory.store.damage().tokens).toHaveLength(19);
    expect(await versionsOf(directory)).toEqual([2, ...keys.slice(1).map(() => -1)]);
  });

  it("of another number of partitions, or of a later format, are refused", async () => {
    const other = await filled(14);
    await other.stop();
    const asAnother = new StoreWorld(14, { partitions: 8 });
    asAnother.crashAndEdit((files) => {
      for (const [name, bytes] of other.disk.image()) files.set(name, bytes);
      dropCheckpoints(files);
    }, "kill");
    expect(await asAnother.tryOpen()).toMatchObject({ ok: false, code: "other-settings" });
    const later = await filled(15);
    await later.stop();
    later.crashAndEdit((files) => {
      dropCheckpoints(files);
      for (const [name, bytes] of files) if (isSegment(name)) writeVersion(bytes, 2);
    }, "kill");
    expect(await later.tryOpen()).toMatchObject({ ok: false, code: "unknown-format" });
  });

  it("that cannot be read in one place lose no more than that", async () => {
    const directory = await filled(16);
    for (const name of keys) await directory.updated(name, 2, 2000);
    const { file, offset } = directory.placeOf("key-7.");
    directory.crash("kill");
    directory.disk.inject({
      operation: "read",
      name: file,
      range: { from: offset, to: offset + 1 },
      error: "io",
    });
    await directory.open();
    expect(directory.store.damage().isWhole).toBe(false);
    directory.store.markWhole();
    const versions = await versionsOf(directory);
    expect(versions.filter((each) => each === 2).length).toBeGreaterThan(14);
    expect(versions[7]).toBe(1);
    expect(directory.fatal).toBeUndefined();
  });
});

function writeVersion(header: Uint8Array, formatVersion: number): void {
  const view = new DataView(header.buffer, header.byteOffset);
  view.setUint32(4, formatVersion, true);
  view.setUint32(28, crc32c(header, 0, 28), true);
}
