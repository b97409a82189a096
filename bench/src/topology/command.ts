import { Command } from "commander";
import { alignedText } from "../report/aligned-text.ts";
import { runProgram } from "../run-program.ts";
import { planTrials } from "./experiments.ts";

interface Options {
  readonly nodes: readonly number[];
  readonly partitions: number;
  readonly rounds: number;
}

/** Prints what plans of changed members take and move; the exit code of the process. */
export async function runTopology(words: readonly string[]): Promise<number> {
  const program = new Command("coterie bench topology")
    .description(
      "Plans changes of clusters that exist in memory only: how long a plan takes, how many " +
        "copies of partitions move and how many must, and how large the cluster's document is.",
    )
    .option("--nodes <list>", "sizes of the cluster", (text) => text.split(",").map(Number))
    .option("--partitions <count>", "Q", Number, 16_384)
    .option("--rounds <count>", "plans of each kind, of which the fastest counts", Number, 5)
    .addHelpText(
      "after",
      `
Examples:
  npm run bench -- topology
  npm run bench -- topology --nodes 300,1000 --rounds 1
  npm run bench -- topology --nodes 5 --partitions 64`,
    )
    .action((options: Partial<Options>) => {
      run({ nodes: [10, 100, 300], partitions: 16_384, rounds: 5, ...options });
    });
  return runProgram(program, words);
}

function run({ nodes, partitions, rounds }: Options): void {
  const rows = nodes.flatMap((count) =>
    [false, true].flatMap((hasZones) =>
      planTrials({ nodes: count, partitions, hasZones, rounds }).map((found) => [
        `${count}`,
        hasZones ? "3" : "1",
        found.change,
        `${found.planMs.toFixed(0)} ms`,
        `${found.moved}`,
        `${found.least}`,
        (found.moved / found.least).toFixed(3),
        kilobytes(found.bytesBefore),
        kilobytes(found.bytesAfter),
        `${found.readMs.toFixed(0)} ms`,
      ]),
    ),
  );
  const head = ["nodes", "zones", "change", "plan", "moved", "minimum", "ratio"];
  const titles = [...head, "document", "while moving", "read"];
  process.stdout.write(
    `${partitions} partitions, 3 copies: copies that move, and the fewest that must.\n` +
      `${alignedText([titles, ...rows])}\n`,
  );
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} kB`;
}
