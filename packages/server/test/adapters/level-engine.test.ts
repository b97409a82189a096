import { randomBytes } from "node:crypto";
import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineOutcome, EngineRow, EngineSettle } from "@coterie/ports";
import { afterEach, beforeEach, expect, it } from "vitest";
import { LevelEngine, loadLevel } from "../../src/adapters/level-engine.ts";

let directory = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "coterie-leveldb-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

function outcomeOf<Value = void>(
  call: (settle: EngineSettle<Value>) => void,
): Promise<EngineOutcome<Value>> {
  return new Promise(call);
}

async function engineHere(): Promise<LevelEngine> {
  const loaded = await loadLevel();
  if (!loaded.ok) throw new Error(loaded.message);
  const engine = new LevelEngine(directory, loaded.level);
  expect(await outcomeOf((settle) => engine.open(settle))).toMatchObject({ ok: true });
  return engine;
}

function keyOf(number: number): Uint8Array {
  return Uint8Array.of(1, number >> 8, number & 0xff);
}

/** The numbers of the keys that a scan from one on finds; or why it fails. */
async function scanned(engine: LevelEngine, first: number, limit: number): Promise<unknown> {
  const range = { from: keyOf(first), until: Uint8Array.of(2) };
  const outcome = await outcomeOf<readonly EngineRow[]>((settle) =>
    engine.scan(range, limit, settle),
  );
  if (!outcome.ok) return outcome.error;
  return outcome.value.map(({ key }) => ((key[1] ?? 0) << 8) + (key[2] ?? 0));
}

function numbers(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => first + at);
}

/** A database of one table with so many rows, of which some blocks before its end are damaged. */
async function makeDamaged(count: number, beforeEnd: number): Promise<void> {
  const engine = await engineHere();
  const all = numbers(0, count).map((number) => ({ key: keyOf(number), value: randomBytes(99) }));
  await outcomeOf((settle) => engine.write(all, settle));
  await outcomeOf((settle) => engine.flush(settle));
  expect(await scanned(engine, 0, 2500)).toEqual(numbers(0, 2500));
  expect(await scanned(engine, count - 10, 20)).toEqual(numbers(count - 10, 10));
  await outcomeOf((settle) => engine.close(settle));
  const [name = ""] = (await readdir(directory)).filter((each) => each.endsWith(".ldb"));
  const file = await open(join(directory, name), "r+");
  const { size } = await file.stat();
  await file.write(Buffer.alloc(20_000, 0xff), 0, 20_000, size - beforeEnd);
  await file.close();
}

it("LevelDB says that a scan passed over damage, wherever that ends", async () => {
  await makeDamaged(3000, 240_000);
  const engine = await engineHere();
  expect(await scanned(engine, 0, 500)).toEqual(numbers(0, 500));
  for (const limit of [1000, 2500, 3001]) expect(await scanned(engine, 0, limit)).toBe("corrupt");
  expect(await scanned(engine, 2000, 500)).toEqual(numbers(2000, 500));
  await outcomeOf((settle) => engine.close(settle));
});

it("LevelDB says nothing of damage behind what was scanned", async () => {
  // The last block, too; of the table's filter, which follows, no more than what it leaves out.
  await makeDamaged(3000, 25_000);
  const engine = await engineHere();
  expect(await scanned(engine, 0, 2500)).toEqual(numbers(0, 2500));
  expect(await scanned(engine, 0, 3001)).toBe("corrupt");
  await outcomeOf((settle) => engine.close(settle));
});
