import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EngineName, engineNames } from "@coterie/server";
import { expect, it, vi } from "vitest";
import { runEngines } from "../src/engines/command.ts";
import { EngineStore } from "../src/engines/engine-store.ts";
import { engineTable } from "../src/engines/engine-table.ts";
import { Samples } from "../src/engines/load-engine.ts";
import type { EngineFigures } from "../src/engines/measure-engine.ts";
import { Records } from "../src/engines/records.ts";
import type { Span } from "../src/engines/tasks.ts";

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "coterie-engines-"));
  try {
    await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

it.each(engineNames)("a store over %s is found as it was left, and not otherwise", (engine) =>
  inDirectory(async (parent) => {
    const directory = join(parent, engine);
    mkdirSync(directory);
    const shape = { engine, directory, partitions: 8, valueBytes: 300 };
    const store = await EngineStore.open(shape, new Records(shape));
    await Promise.all([0, 1].map((number) => store.insert(number)));
    expect([await store.overwrite(1), await store.overwrite(1)]).toEqual([2, 3]);
    await store.get(1);
    await expect(store.get(2)).rejects.toThrow("key 2 is absent");
    await store.stop();
    const again = await EngineStore.open(shape, new Records(shape));
    await again.check([0, 1]);
    await again.check([1, 3]);
    await expect(again.check([1, 2])).rejects.toThrow("not as it was acknowledged: 3, not 2");
    await again.stop();
  }),
);

it("values are the same in every process, and differ by key and version", () => {
  const shape = { engine: "log", directory: "", partitions: 8, valueBytes: 100 } as const;
  const [one, other] = [new Records(shape), new Records(shape)];
  expect(one.value(7, 2)).toEqual(other.value(7, 2));
  const pairs = [1, 2, 3].flatMap((number) => [1, 2, 3].map((version) => [number, version]));
  const texts = pairs.map(([number = 0, version = 0]) => one.value(number, version).join(","));
  expect(new Set(texts).size).toBe(pairs.length);
  expect(one.value(7, 2)).toHaveLength(100);
});

it("samples are keys from everywhere and those first overwritten, in their last versions", () => {
  const samples = new Samples(10_000);
  samples.note(5, 2);
  samples.note(1, 3);
  samples.note(1, 2);
  for (let number = 0; number < 10_000; number += 1) samples.note(number, 4);
  const versions = new Map(samples.all());
  expect(versions.size).toBe(4000);
  expect([versions.get(0), versions.get(1), versions.get(9995)]).toEqual([4, 4, 4]);
  expect(new Map(new Samples(10).all())).toEqual(
    new Map(Array.from({ length: 10 }, (_, at) => [at, 1])),
  );
});

const span: Span = {
  operations: 100,
  seconds: 2,
  cpuMicros: 10,
  p50Ms: 1,
  p99Ms: 2,
  longestMs: 3,
};

function figuresOf(engine: EngineName, times: number): EngineFigures {
  const { operations } = span;
  const puts = { ...span, operations: operations * times, bytes: 1e6, stillSeconds: 0.01 };
  const written = { ...puts, writtenPerByte: times, devicePerByte: undefined };
  const opened = { openMs: 10 * times, residentBytes: 2 ** 20, checked: 1 };
  return {
    engine,
    loaded: {
      makingMicros: 1,
      filling: written,
      diskPerByte: 1,
      indexBytes: 2 ** 20,
      residentBytes: 2 ** 20,
      residentBytesMost: 2 ** 20,
      gets: span,
      overwrites: written,
      samples: [],
    },
    afterKill: opened,
    afterStop: opened,
  };
}

/** The cells of a row of a table of engines that differ three times. */
function cellsOf(name: string): readonly string[] | undefined {
  const table = engineTable([figuresOf("log", 1), figuresOf("leveldb", 3)]);
  const line = table.split("\n").find((text) => text.startsWith(`${name} `));
  return line?.slice(name.length).trim().split(/\s+/u);
}

it("the table tells each engine's figures, and how many times the log's the other's are", () => {
  expect(cellsOf("fill, a second")).toEqual(["50", "150", "3.00"]);
  expect(cellsOf("fill, bytes written for each")).toEqual(["1.00", "3.00", "3.00"]);
  expect(cellsOf("fill, by the device")).toEqual(["-", "-", "-"]);
  expect(cellsOf("fill, still after s")).toEqual(["0.0", "0.0", "-"]);
  expect(cellsOf("start after a kill, ms")).toEqual(["10", "30", "3.00"]);
  expect(engineTable([figuresOf("leveldb", 1)])).not.toContain("log");
});

it("says how much of the disk is missing, and leaves nothing behind", () =>
  inDirectory(async (directory) => {
    const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      expect(await runEngines(["--gb", "1e9", "--data", directory])).toBe(1);
      expect(said.mock.calls.flat()).toEqual([expect.stringMatching(/\d GB are missing\n$/u)]);
    } finally {
      said.mockRestore();
    }
    expect(readdirSync(directory)).toEqual([]);
  }));
