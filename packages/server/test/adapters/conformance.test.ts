import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  clockGuarantees,
  diskGuarantees,
  engineGuarantees,
  randomGuarantees,
} from "@coterie/ports/conformance";
import { describe, it } from "vitest";
import { LevelEngine, loadLevel } from "../../src/adapters/level-engine.ts";
import { MemoryDirectory, MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { NodeDisk } from "../../src/adapters/node-disk.ts";
import { NodeRandom } from "../../src/adapters/node-random.ts";
import { SystemClock } from "../../src/adapters/system-clock.ts";

describe("the system's clock", () => {
  it.concurrent.each(clockGuarantees)("$name", (guarantee) =>
    guarantee.run({ clock: new SystemClock() }),
  );
});

describe("the system's randomness", () => {
  it.each(randomGuarantees)("$name", (guarantee) => guarantee.run({ random: new NodeRandom() }));
});

describe("a disk in memory", () => {
  it.each(diskGuarantees)("$name", (guarantee) => {
    const directory = new MemoryDirectory();
    return guarantee.run({
      disk: new MemoryDisk(directory),
      other: new MemoryDisk(directory),
      holderName: String(process.pid),
    });
  });
});

describe("LevelDB", () => {
  it.each(engineGuarantees)("$name", async (guarantee) => {
    const directory = await mkdtemp(join(tmpdir(), "coterie-leveldb-"));
    try {
      const loaded = await loadLevel();
      if (!loaded.ok) throw new Error(loaded.message);
      await guarantee.run({ engine: new LevelEngine(join(directory, "db"), loaded.level) });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe("a directory as a disk", () => {
  it.each(diskGuarantees)("$name", async (guarantee) => {
    const directory = await mkdtemp(join(tmpdir(), "coterie-disk-"));
    try {
      await guarantee.run({
        disk: new NodeDisk(directory),
        other: new NodeDisk(directory),
        holderName: String(process.pid),
      });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
