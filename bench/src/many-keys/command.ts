import { Command } from "commander";
import { positive, wholeNumber } from "../arguments.ts";
import { limitsText, measureLimits } from "../measure/limits.ts";
import { machineText } from "../measure/machine.ts";
import { inRunDirectory } from "../run/data-directory.ts";
import { runJudged } from "../run-program.ts";
import { say } from "../say.ts";
import { type ManyKeys, type Written, manyKeys } from "./many-keys.ts";

interface Options {
  readonly keys: number;
  readonly value: number;
  readonly partitions?: number;
  readonly seconds: number;
  readonly data: string;
}

/** What is aimed at, with ten million keys. */
const readyMsMax = 10_000;
const residentBytesMax = 600 * 2 ** 20;
/** As docs/operations/sizing.md advises. */
const keysPerPartition = 100_000;
const partitionsMin = 64;

/** Prints what many keys cost a node; 1 if that is more than it should be. */
export async function runManyKeys(words: readonly string[]): Promise<number> {
  const program = new Command("coterie bench many-keys")
    .description(
      "Fills the log of one node by the store's own code, without a node, then starts its " +
        "process on it: how soon it serves, after a stop and after a kill, its memory, the " +
        "index's bytes per key, and how many bytes go to the disk for each that is written.",
    )
    .option("--keys <count>", "of the node", wholeNumber, 10_000_000)
    .option("--value <bytes>", "of a value", wholeNumber, 100)
    .option("--partitions <count>", "a power of two; one for 100 000 keys if left out", wholeNumber)
    .option("--seconds <number>", "of the load of reads and updates", positive, 20)
    .option("--data <dir>", "where the node keeps its data meanwhile", ".coterie")
    .addHelpText(
      "after",
      `
Examples:
  npm run bench -- many-keys
  npm run bench -- many-keys --keys 1000000 --seconds 10`,
    );
  return runJudged(program, words, run);
}

function run({ keys, value, seconds, data, ...options }: Options): Promise<boolean> {
  const partitions = options.partitions ?? partitionsFor(keys);
  return inRunDirectory(data, "many-keys", async (directory) => {
    const limits = limitsText(await measureLimits(directory));
    const input = { directory, keys, valueBytes: value, partitions, seconds, say };
    const found = await manyKeys(input);
    const lines = [
      machineText(directory),
      limits,
      `one node alone, ${keys} keys, ${value} B, ${partitions} partitions`,
      "",
      ...linesOf(found),
    ];
    process.stdout.write(`${lines.join("\n")}\n`);
    return found.starts.every(
      ({ readyMs, residentBytes }) => readyMs < readyMsMax && residentBytes <= residentBytesMax,
    );
  });
}

/** The power of two that leaves a partition no more keys than it should have. */
export function partitionsFor(keys: number): number {
  return Math.max(partitionsMin, 2 ** Math.ceil(Math.log2(keys / keysPerPartition)));
}

function linesOf(found: ManyKeys): readonly string[] {
  const { keys, fillSeconds, filled, load } = found;
  const starts = found.starts.map(({ after, readyMs, residentBytes, residentBytesMost }) => {
    const isSoon = readyMs < readyMsMax;
    const isSmall = residentBytes <= residentBytesMax;
    return (
      `start after a ${after}: ready in ${(readyMs / 1000).toFixed(1)} s ` +
      `(< ${readyMsMax / 1000} s: ${isSoon ? "reached" : "MISSED"}), RSS at rest ` +
      `${mib(residentBytes)} MiB (<= ${mib(residentBytesMax)} MiB: ` +
      `${isSmall ? "reached" : "MISSED"}), at most ${mib(residentBytesMost)} MiB before`
    );
  });
  const share = filled.device === undefined ? "-" : (filled.device / filled.logical).toFixed(2);
  return [
    ...starts,
    `index: ${(found.indexBytes / keys).toFixed(1)} B per key, ${mib(found.indexBytes)} MiB`,
    `disk: ${mib(found.diskBytes)} MiB, ${(found.diskBytes / keys).toFixed(0)} B per key, ` +
      `${(found.diskBytes / filled.logical).toFixed(2)} for each byte of a key or value`,
    `write amplification while it was filled in ${fillSeconds.toFixed(0)} s: ${share}`,
    `write amplification of updates: ${amplification(load.written)}, ` +
      `${load.checkpoints} checkpoints`,
    `half reads, half updates, 64 in flight: ${(load.operations / load.seconds).toFixed(0)}/s ` +
      `for ${load.seconds.toFixed(0)} s, ${load.failed} failed, p99 ${load.p99Ms.toFixed(1)} ms, ` +
      `${load.cpuMicros.toFixed(0)} µs of the node each, RSS ${mib(load.residentBytesMost)} MiB ` +
      "at most",
  ];
}

/** Of all that went to the device, and of what the store says it wrote of that. */
function amplification({ logical, appended, compacted, device }: Written): string {
  const by = (bytes: number): string => (bytes / logical).toFixed(2);
  const all = device === undefined ? "-" : by(device);
  const told = `log ${by(appended)}, compaction ${by(compacted)}, the rest checkpoints`;
  return `${all} by the device (${told})`;
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
