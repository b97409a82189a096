import { rmSync, statfsSync } from "node:fs";
import { totalmem } from "node:os";
import { type EngineName, engineNames, loadLevel } from "@coterie/server";
import { Command, Option } from "commander";
import { positive, wholeNumber } from "../arguments.ts";
import { partitionsFor } from "../many-keys/command.ts";
import { limitsText, measureLimits } from "../measure/limits.ts";
import { machineText } from "../measure/machine.ts";
import { makeDataDirectory, makeRunDirectory } from "../run/data-directory.ts";
import { onInterrupt } from "../run/interrupts.ts";
import { runProgram } from "../run-program.ts";
import { say } from "../say.ts";
import { EngineProcess } from "./engine-process.ts";
import { engineTable } from "./engine-table.ts";
import { type EngineFigures, type EngineInput, measureEngine } from "./measure-engine.ts";
import { keyBytes } from "./records.ts";

interface Options {
  readonly gb: number;
  readonly valueBytes: number;
  readonly inFlight: number;
  readonly loadInFlight: number;
  readonly seconds: number;
  readonly only?: EngineName;
  readonly data: string;
}

const gigabyte = 1e9;
/** What a store takes at most for each byte of a value of 1 kB, and whatever its size. */
const diskShare = 1.35;
const diskBytesMin = gigabyte;
/** Of a record beside its value and its key, in the log and in an engine's rows. */
const overheadBytes = 150;

/** Prints what each engine costs, filled with so many bytes, beside the other. */
export async function runEngines(words: readonly string[]): Promise<number> {
  const program = new Command("coterie bench engines")
    .description(
      "Fills the store of one node over each of its engines in turn, without a node, in a " +
        "process of its own and with every group synced; then gets and overwrites keys at " +
        "random, kills the process, and starts another on what it left. Prints how much is done " +
        "a second and how long each waits, CPU time of the whole process, memory, bytes on the " +
        "disk and bytes written to it.",
    )
    .option("--gb <number>", "of values, in gigabytes", positive, 1)
    .option("--value-bytes <count>", "of a value, random ones", wholeNumber, 1000)
    .option("--in-flight <count>", "puts under way while it is filled", wholeNumber, 256)
    .option("--load-in-flight <count>", "gets, and then overwrites, under way", wholeNumber, 64)
    .option("--seconds <number>", "of the gets, and of the overwrites", positive, 10)
    .addOption(new Option("--only <engine>", "leave the other out").choices(engineNames))
    .option("--data <dir>", "where stores keep their data meanwhile", ".coterie")
    .addHelpText(
      "after",
      `
Keys lie in random order. The disk must have room for one of the stores: each is removed before
the next. Bytes written are those that the process hands to the system; those written by the
device are whosever they are: let nothing else write to it.

Examples:
  npm run bench -- engines
  npm run bench -- engines --gb 10 --seconds 30
  npm run bench -- engines --gb 50 --only leveldb`,
    )
    .action(run);
  return runProgram(program, words);
}

async function run({ data, only, gb, valueBytes, ...options }: Options): Promise<void> {
  const engines = only === undefined ? engineNames : [only];
  await requireEngines(engines);
  makeDataDirectory(data);
  const records = Math.ceil((gb * gigabyte) / valueBytes);
  requireSpace(data, records * (keyBytes + valueBytes + overheadBytes));
  const parent = makeRunDirectory(data, "engines");
  const child = new EngineProcess();
  const clean = async (): Promise<void> => {
    await child.kill();
    rmSync(parent, { recursive: true, force: true });
  };
  const callOff = onInterrupt(clean);
  try {
    const limits = limitsText(await measureLimits(parent));
    const partitions = partitionsFor(records);
    const input = { ...options, parent, records, valueBytes, partitions, say };
    const found: EngineFigures[] = [];
    for (const engine of engines) found.push(await measureEngine(engine, child, input));
    process.stdout.write(`${headText(input, limits)}\n\n${engineTable(found)}\n\n`);
    process.stdout.write(`${checkedText(found)}\n`);
  } finally {
    await clean();
    callOff();
  }
}

async function requireEngines(engines: readonly EngineName[]): Promise<void> {
  if (!engines.includes("leveldb")) return;
  const loaded = await loadLevel();
  if (!loaded.ok) throw new Error(loaded.message);
}

function requireSpace(directory: string, recordBytes: number): void {
  const { bavail, bsize } = statfsSync(directory);
  const free = bavail * bsize;
  const needed = recordBytes * diskShare + diskBytesMin;
  if (free >= needed) return;
  const text = (bytes: number): string => (bytes / gigabyte).toFixed(1);
  throw new Error(
    `one store takes up to ${text(needed)} GB, and ${directory} has ${text(free)} GB free: ` +
      `${text(needed - free)} GB are missing`,
  );
}

function headText(input: EngineInput, limits: string): string {
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return (
    `${machineText(input.parent)}, ${memory} GiB of memory\n${limits}\n` +
    `${input.records} records with values of ${input.valueBytes} B and keys of ${keyBytes} B, ` +
    `${input.partitions} partitions; ${input.inFlight} puts in flight, then ` +
    `${input.loadInFlight} gets or overwrites for ${input.seconds} s each\n` +
    "CPU of the whole process, with what it takes to make records; of puts, and bytes written: " +
    "until it was still; bytes for each of a key or value"
  );
}

function checkedText(found: readonly EngineFigures[]): string {
  const counts = found.map(({ engine, afterKill }) => `${afterKill.checked} of ${engine}`);
  return `read after each start, all as they were acknowledged last: ${counts.join(", ")}`;
}
