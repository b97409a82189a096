import { utf8 } from "@coterie/core";
import type { DiskOutcome } from "@coterie/ports";
import { SimDisk, World } from "@coterie/sim";
import { describe, expect, it } from "vitest";
import { loadBlob, saveBlob } from "../src/index.ts";

function worldOf(seed: number): World {
  return new World({ seed, drain: () => new Promise((resolve) => setImmediate(resolve)) });
}

function saved(world: World, disk: SimDisk, text: string): Promise<DiskOutcome> {
  return world.runUntilSettled(
    new Promise((settle) => {
      saveBlob(disk, "thing", utf8(text), settle);
    }),
  );
}

function loaded(world: World, disk: SimDisk): Promise<DiskOutcome<Uint8Array | undefined>> {
  return world.runUntilSettled(
    new Promise((settle) => {
      loadBlob(disk, "thing", settle);
    }),
  );
}

describe("a blob", () => {
  it("is absent, then what was saved last", async () => {
    const world = worldOf(1);
    const disk = new SimDisk(world);
    expect(await loaded(world, disk)).toEqual({ ok: true, value: undefined });
    expect(await saved(world, disk, "one")).toEqual({ ok: true, value: undefined });
    expect(await saved(world, disk, "two")).toEqual({ ok: true, value: undefined });
    expect(await loaded(world, disk)).toEqual({ ok: true, value: utf8("two") });
  });

  it("is the old one or the new one after a power failure at any time", async () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 200; seed += 1) {
      const world = worldOf(seed);
      const disk = new SimDisk(world);
      await saved(world, disk, "old");
      saveBlob(disk, "thing", utf8("new"), () => undefined);
      await world.run({ until: world.nowMs + (seed % 40) / 8 });
      disk.crash("power");
      const content = await loaded(world, disk.reopen());
      expect(content.ok && content.value !== undefined).toBe(true);
      if (content.ok) seen.add(String.fromCharCode(...(content.value ?? [])));
    }
    expect([...seen].toSorted()).toEqual(["new", "old"]);
  });

  it.each([0, 5, 9, 13])("is refused when byte %i rotted", async (offset) => {
    const world = worldOf(2);
    const disk = new SimDisk(world);
    await saved(world, disk, "content");
    disk.flipBit("thing", offset);
    expect(await loaded(world, disk)).toMatchObject({ ok: false, error: "io" });
  });

  it("keeps the old one when the disk is full", async () => {
    const world = worldOf(3);
    const disk = new SimDisk(world, { capacityBytes: 8192 });
    await saved(world, disk, "old");
    expect(await saved(world, disk, "n".repeat(9000))).toMatchObject({ ok: false, error: "full" });
    expect(await loaded(world, disk)).toEqual({ ok: true, value: utf8("old") });
  });
});
