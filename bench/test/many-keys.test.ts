import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { partitionsFor } from "../src/many-keys/command.ts";
import { diskBytes } from "../src/many-keys/directory-size.ts";

it.each([
  [1, 64],
  [6_400_000, 64],
  [6_400_001, 128],
  [10_000_000, 128],
  [100_000_000, 1024],
])("%i keys are in %i partitions, none with over 100 000 of them", (keys, partitions) => {
  expect(partitionsFor(keys)).toBe(partitions);
});

it("what a directory takes on the disk is all its files', those below it too", () => {
  const directory = mkdtempSync(join(tmpdir(), "coterie-size-"));
  try {
    expect(diskBytes(directory)).toBe(0);
    writeFileSync(join(directory, "file"), Buffer.alloc(40_000, 1));
    const one = diskBytes(directory);
    mkdirSync(join(directory, "below"));
    writeFileSync(join(directory, "below", "file"), Buffer.alloc(40_000, 1));
    expect([one >= 40_000, diskBytes(directory)]).toEqual([true, 2 * one]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
