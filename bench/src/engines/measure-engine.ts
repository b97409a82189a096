import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { EngineName } from "@coterie/server";
import type { EngineProcess } from "./engine-process.ts";
import type { EngineShape, Loaded, Opened, Span } from "./tasks.ts";

export interface EngineInput {
  /** For each engine a folder is made in it, and removed. */
  readonly parent: string;
  readonly records: number;
  readonly valueBytes: number;
  readonly partitions: number;
  readonly inFlight: number;
  readonly loadInFlight: number;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

/** What was found of one engine. */
export interface EngineFigures {
  readonly engine: EngineName;
  readonly loaded: Loaded;
  readonly afterKill: Opened;
  readonly afterStop: Opened;
}

/** Fills, loads, kills and starts again a store over one engine. */
export async function measureEngine(
  engine: EngineName,
  process: EngineProcess,
  input: EngineInput,
): Promise<EngineFigures> {
  const { parent, partitions, valueBytes, say } = input;
  const directory = join(parent, engine);
  const shape: EngineShape = { engine, directory, partitions, valueBytes };
  mkdirSync(directory);
  say(`${engine}: filling with ${input.records} records`);
  const { records, inFlight, loadInFlight, seconds } = input;
  const load = { kind: "load", shape, records, inFlight, loadInFlight, seconds } as const;
  const loaded = await process.load(load);
  const { filling, gets, overwrites, samples } = loaded;
  say(
    `${engine}: ${rate(filling)} records/s, ${rate(gets)} gets/s, ${rate(overwrites)} overwrites/s`,
  );
  // Its process was killed with its store open: the next one closes it.
  const afterKill = await process.open({ kind: "open", shape, samples });
  const afterStop = await process.open({ kind: "open", shape, samples });
  rmSync(directory, { recursive: true });
  return { engine, loaded, afterKill, afterStop };
}

function rate({ operations, seconds }: Span): string {
  return (operations / seconds).toFixed(0);
}
