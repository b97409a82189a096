import { setTimeout as sleep } from "node:timers/promises";
import type { File, Settle } from "@coterie/ports";
import { NodeDisk } from "@coterie/server";
import { BulkFile } from "@coterie/storage";
import { Command } from "commander";
import { wholeNumber } from "../arguments.ts";
import { newHistogram, percentilesOf, recordMs } from "../generator/histogram.ts";
import { machineText } from "../measure/machine.ts";
import { alignedText } from "../report/aligned-text.ts";
import { inRunDirectory } from "../run/data-directory.ts";
import { runProgram } from "../run-program.ts";
import { say } from "../say.ts";

interface Options {
  readonly bytes: number;
  readonly rounds: number;
  readonly data: string;
}

/** How long syncs of a log took, in milliseconds. */
interface Waits {
  readonly name: string;
  readonly syncs: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

/** Of a group of small records. */
const groupBytes = 400;
const logBytes = 8 * 1024 * 1024;
/** As compaction writes: a slice, and a rest after it. */
const sliceBytes = 256 * 1024;
const restMs = 3;

/** Prints how long a log's syncs wait while a large file is written; the exit code. */
export async function runBulkFile(words: readonly string[]): Promise<number> {
  const program = new Command("coterie bench bulk-file")
    .description(
      "Appends to a log and syncs it, again and again, while a file as large as a segment is " +
        "written beside it in slices: synced once at its end, and in parts as the store does.",
    )
    .option("--bytes <number>", "of the large file", wholeNumber, 200 * 1024 * 1024)
    .option("--rounds <count>", "how often, by turns", wholeNumber, 3)
    .option("--data <dir>", "where the files are meanwhile", ".coterie")
    .addHelpText("after", "\nExamples:\n  npm run bench -- bulk-file --rounds 5")
    .action(run);
  return runProgram(program, words);
}

async function run({ bytes, rounds, data }: Options): Promise<void> {
  const waits = await inRunDirectory(data, "bulk-file", async (directory) => {
    const found: Waits[] = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, bytesPerSync] of kinds) {
        found.push(await measure(new NodeDisk(directory), { name, bytes, bytesPerSync }));
        say(`${name}: ${found.at(-1)?.most.toFixed(1)} ms at most`);
      }
    }
    return found;
  });
  const rows = waits.map(({ name, syncs, p50, p99, most }) => [
    name,
    `${syncs}`,
    ...[p50, p99, most].map((ms) => ms.toFixed(2)),
  ]);
  const titles = ["the large file is synced", "syncs of the log", "p50 ms", "p99", "most"];
  const medianOf = (name: string): number => median(waits.filter((one) => one.name === name));
  const ratio = medianOf(kinds[1][0]) / medianOf(kinds[0][0]);
  process.stdout.write(
    `${machineText(data)}\n${bytes} B in slices of ${sliceBytes} B, ${restMs} ms apart\n\n` +
      `${alignedText([titles, ...rows])}\n\n` +
      `the longest wait, in parts of that at once: ${ratio.toFixed(3)} (medians)\n`,
  );
}

const kinds = [
  ["at its end", Number.POSITIVE_INFINITY],
  ["in parts", undefined],
] as const;

function median(waits: readonly Waits[]): number {
  const sorted = waits.map(({ most }) => most).toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

interface Kind {
  readonly name: string;
  readonly bytes: number;
  readonly bytesPerSync: number | undefined;
}

async function measure(disk: NodeDisk, { name, bytes, bytesPerSync }: Kind): Promise<Waits> {
  const log = await done<File>((settle) => disk.open("log", "create", settle));
  await done<void>((settle) => disk.write(log, 0, new Uint8Array(logBytes), settle));
  await done<void>((settle) => disk.sync(log, settle));
  const large = await done<File>((settle) => disk.open("large", "create", settle));
  const took = newHistogram();
  const state = { isOver: false };
  const appending = append(disk, log, took, state);
  const file = new BulkFile(disk, large, bytesPerSync);
  const slice = new Uint8Array(sliceBytes).fill(1);
  for (let at = 0; at < bytes; at += sliceBytes) {
    await file.write(at, slice);
    await sleep(restMs);
  }
  await file.sync();
  state.isOver = true;
  await appending;
  await done<void>((settle) => disk.close(large, settle));
  await done<void>((settle) => disk.close(log, settle));
  for (const file of ["large", "log"]) await done<void>((settle) => disk.remove(file, settle));
  const { p50, p99, max: most } = percentilesOf(took);
  return { name, syncs: took.totalCount, p50, p99, most };
}

async function append(
  disk: NodeDisk,
  log: File,
  took: ReturnType<typeof newHistogram>,
  state: { readonly isOver: boolean },
): Promise<void> {
  const group = new Uint8Array(groupBytes).fill(2);
  for (let at = 0; !state.isOver; at = (at + groupBytes) % (logBytes - groupBytes)) {
    const fromMs = performance.now();
    await done<void>((settle) => disk.write(log, at, group, settle));
    await done<void>((settle) => disk.sync(log, settle));
    recordMs(took, performance.now() - fromMs);
  }
}

function done<Value>(start: (settle: Settle<Value>) => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    start((outcome) => {
      if (outcome.ok) resolve(outcome.value);
      else reject(new Error(outcome.message));
    });
  });
}
