import { Command } from "commander";
import { wholeNumbers } from "../arguments.ts";
import { machineText } from "../measure/machine.ts";
import { alignedText } from "../report/aligned-text.ts";
import { type Delivery, deliver } from "./deliver.ts";
import { makeDataDirectory } from "../run/data-directory.ts";
import { runJudged } from "../run-program.ts";
import { say } from "../say.ts";

interface Options {
  readonly keys: readonly number[];
  readonly nodes: readonly number[];
  readonly data: string;
}

/** What is aimed at: few keys are there soon, many come quickly. */
const fewKeys = 2000;
const fewMsMax = 2000;
const perSecondMin = 20_000;

/** Prints how soon a node has what it missed; 1 if that takes longer than it should. */
export async function runHandoff(words: readonly string[]): Promise<number> {
  const program = new Command("coterie bench handoff")
    .description(
      "Kills a node of a real cluster, writes keys through the others, and lets it come back: " +
        "prints how long it takes until it has been given all that it missed, without any read.",
    )
    .option("--keys <list>", "that are written meanwhile", wholeNumbers, [fewKeys, 200_000])
    .option("--nodes <list>", "sizes of clusters", wholeNumbers, [3, 5])
    .option("--data <dir>", "where nodes keep their data meanwhile", ".coterie")
    .addHelpText(
      "after",
      `
Examples:
  npm run bench -- handoff
  npm run bench -- handoff --keys 2000 --nodes 3`,
    );
  return runJudged(program, words, run);
}

async function run({ keys, nodes, data }: Options): Promise<boolean> {
  makeDataDirectory(data);
  const deliveries: Delivery[] = [];
  for (const size of nodes) {
    for (const count of keys) {
      say(`${count} keys, ${size} nodes`);
      deliveries.push(await deliver({ directory: data, nodes: size, keys: count }));
    }
  }
  process.stdout.write(
    `${machineText(data)}\n${alignedText([header, ...deliveries.map(rowOf)])}\n`,
  );
  return deliveries.every(isGoodEnough);
}

const header: readonly string[] = [
  "nodes",
  "keys written",
  "records owed",
  "ready ms",
  "all there, ms after",
  "records/s",
];

function rowOf({ nodes, keys, owed, readyMs, doneMs, perSecond }: Delivery): readonly string[] {
  return [nodes, keys, owed, readyMs, doneMs, perSecond].map((number) => `${Math.round(number)}`);
}

function isGoodEnough({ keys, doneMs, perSecond }: Delivery): boolean {
  return keys > fewKeys ? perSecond >= perSecondMin : doneMs <= fewMsMax;
}
