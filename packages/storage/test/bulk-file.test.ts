import type { Disk, File } from "@coterie/ports";
import { expect, it } from "vitest";
import { BulkFile } from "../src/bulk-file.ts";

const kibibyte = 1024;
const file = {} as File;

/** A disk that says what is done to it; the n-th call fails. */
function toldDisk(told: string[], failing = Number.POSITIVE_INFINITY): Disk {
  const outcome = (): Parameters<Parameters<Disk["sync"]>[1]>[0] =>
    told.length === failing
      ? { ok: false, error: "io", message: "it is broken" }
      : { ok: true, value: undefined };
  return {
    write: (_file, position, bytes, settle) => {
      told.push(`${bytes.length / kibibyte} KiB at ${position / kibibyte}`);
      settle(outcome());
    },
    sync: (_file, settle) => {
      told.push("sync");
      settle(outcome());
    },
  } satisfies Partial<Disk> as unknown as Disk;
}

it("syncs after each MiB, so that the disk never has much to do for one sync", async () => {
  const told: string[] = [];
  const bulk = new BulkFile(toldDisk(told), file);
  for (const [at, length] of [
    [0, 600],
    [600, 600],
    [1200, 1024],
    [2224, 100],
  ] as const) {
    expect((await bulk.write(at * kibibyte, new Uint8Array(length * kibibyte))).ok).toBe(true);
  }
  expect((await bulk.sync()).ok).toBe(true);
  expect(told).toEqual([
    "600 KiB at 0",
    "600 KiB at 600",
    "sync",
    "1024 KiB at 1200",
    "sync",
    "100 KiB at 2224",
    "sync",
  ]);
});

it("says that a write failed, and syncs nothing then; and that a sync did", async () => {
  const told: string[] = [];
  const write = await new BulkFile(toldDisk(told, 1), file).write(0, new Uint8Array(2 ** 20));
  expect([write.ok, told]).toEqual([false, ["1024 KiB at 0"]]);
  told.length = 0;
  const synced = await new BulkFile(toldDisk(told, 2), file).write(0, new Uint8Array(2 ** 20));
  expect([synced.ok, told]).toEqual([false, ["1024 KiB at 0", "sync"]]);
});
