import { Command } from "commander";
import { wholeNumber, wholeNumbers } from "../arguments.ts";
import { sequentialSyncRate } from "../measure/machine-limits.ts";
import { machineText } from "../measure/machine.ts";
import { alignedText } from "../report/aligned-text.ts";
import { makeDataDirectory } from "../run/data-directory.ts";
import { runJudged } from "../run-program.ts";
import { say } from "../say.ts";
import { exchangeTable, problemsWith } from "./exchange-table.ts";
import { measurePair, type PairExchange } from "./measure-pair.ts";

interface Options {
  readonly keys: number;
  readonly partitions: readonly number[];
  readonly differing: readonly (number | "all")[];
  readonly value: number;
  readonly data: string;
}

/** What the log is given at once while it takes all keys: 256 records of some 160 bytes. */
const chunkBytes = 40 * 1024;
const rateSeconds = 3;

/** Prints what it costs to compare two replicas, and to make them equal; 1 above the limits. */
export async function runAntiEntropy(words: readonly string[]): Promise<number> {
  const program = new Command("coterie bench anti-entropy")
    .description(
      "Two nodes, each a process with a directory, share a bucket of two copies. Their logs " +
        "are written beforehand; then some keys are overwritten at one of them, and the other " +
        "compares all with it: prints round trips, messages, bytes, time, and records read.",
    )
    .option("--keys <count>", "that both hold", wholeNumber, 1_000_000)
    .option("--partitions <list>", "numbers of partitions", wholeNumbers, [64, 1024])
    .option("--differing <list>", "numbers of keys, or all", counts, [0, 1, 100, 10_000, "all"])
    .option("--value <bytes>", "of a value", wholeNumber, 100)
    .option("--data <dir>", "where nodes keep their data meanwhile", ".coterie")
    .addHelpText(
      "after",
      `
Examples:
  npm run bench -- anti-entropy
  npm run bench -- anti-entropy --keys 100000 --partitions 64 --differing 0,1,all`,
    );
  return runJudged(program, words, run);
}

async function run({ keys, partitions, differing, value, data }: Options): Promise<boolean> {
  makeDataDirectory(data);
  const exchanges: PairExchange[] = [];
  for (const count of partitions) {
    const shape = { partitions: count, valueBytes: value };
    exchanges.push(
      ...(await measurePair({ directory: data, shape, keys, differing, onStep: say })),
    );
  }
  const syncRate = sequentialSyncRate(data, chunkBytes, rateSeconds);
  const rate = `${(syncRate / 1e6).toFixed(1)} MB/s by writes of ${chunkBytes} B with a sync each`;
  const lines = [
    machineText(data),
    `the disk takes ${rate}`,
    alignedText(exchangeTable(exchanges, syncRate)),
  ];
  const problems = exchanges.flatMap((each) => problemsWith(each, syncRate));
  process.stdout.write(`${[...lines, ...problems].join("\n")}\n`);
  return problems.length === 0;
}

function counts(text: string): readonly (number | "all")[] {
  return text
    .split(",")
    .map((word) => (word === "all" || word === "0" ? zeroOrAll(word) : wholeNumber(word)));
}

function zeroOrAll(word: "all" | "0"): number | "all" {
  return word === "all" ? word : 0;
}
