import { Command } from "commander";
import { wholeNumber, wholeNumbers } from "../arguments.ts";
import { alignedText } from "../report/aligned-text.ts";
import { runProgram } from "../run-program.ts";
import { converge } from "./convergence.ts";
import { joinOf, planTrials } from "./experiments.ts";

interface Options {
  readonly nodes: readonly number[];
  readonly partitions: number;
  readonly rounds: number;
  readonly seed: number;
}

/** Of the simulated network: a gigabit per second and node. */
const bytesPerMs = 125_000;
/** To read a version and go by it; more than it takes at 300 nodes. */
const readMs = 20;
const lossesPerThousand = [0, 10];

/** Prints what plans of changed members take and move; the exit code of the process. */
export async function runTopology(words: readonly string[]): Promise<number> {
  const program = new Command("coterie bench topology")
    .description(
      "Plans changes of clusters that exist in memory only: how long a plan takes, how many " +
        "copies of partitions move and how many must, how large the cluster's document is, and, " +
        "in virtual time, how long it takes until every member goes by it.",
    )
    .option("--nodes <list>", "sizes of the cluster", wholeNumbers)
    .option("--partitions <count>", "Q", wholeNumber, 16_384)
    .option("--rounds <count>", "plans of each kind, of which the fastest counts", wholeNumber, 5)
    .option("--seed <number>", "the same seed, the same virtual times", wholeNumber, 1)
    .addHelpText(
      "after",
      `
Examples:
  npm run bench -- topology
  npm run bench -- topology --nodes 300,1000 --rounds 1
  npm run bench -- topology --nodes 5 --partitions 64`,
    )
    .action(async (options: Partial<Options>) => {
      const given = { nodes: [10, 100, 300], partitions: 16_384, rounds: 5, seed: 1, ...options };
      printPlans(given);
      await printConvergence(given);
    });
  return runProgram(program, words);
}

function printPlans({ nodes, partitions, rounds }: Options): void {
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

async function printConvergence({ nodes, partitions, seed }: Options): Promise<void> {
  const titles = ["nodes", "loss", "chosen after", "half go by it", "all do", "sent by all"];
  const rows: (readonly string[])[] = [];
  for (const count of nodes) {
    const versions = joinOf({ nodes: count, partitions, hasZones: false });
    for (const lossPerThousand of lossesPerThousand) {
      const found = await converge({ ...versions, lossPerThousand, seed, bytesPerMs, readMs });
      rows.push([
        `${count}`,
        `${lossPerThousand / 10} %`,
        ...[found.chosenMs, found.halfMs, found.allMs].map((ms) => `${ms.toFixed(0)} ms`),
        `${(found.bytes / 1e6).toFixed(0)} MB`,
      ]);
    }
  }
  process.stdout.write(
    "\nVirtual time from the commit of a plan by which a tenth join: agreement and telling, with " +
      "disks; messages take\n0.25 to 2 ms and their bytes at a gigabit per second and node, a " +
      `version ${readMs} ms to be read.\n${alignedText([titles, ...rows])}\n`,
  );
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} kB`;
}
