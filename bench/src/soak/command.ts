import { Command } from "commander";
import { positive, wholeNumber } from "../arguments.ts";
import { limitsText, measureLimits } from "../measure/limits.ts";
import { machineText } from "../measure/machine.ts";
import { alignedText } from "../report/aligned-text.ts";
import { inRunDirectory } from "../run/data-directory.ts";
import { runJudged } from "../run-program.ts";
import { say } from "../say.ts";
import type { Check } from "./check.ts";
import type { Trend } from "./resident-series.ts";
import { type Soak, soak } from "./soak.ts";
import { type Waits, waitsOf } from "./waits.ts";

interface Options {
  readonly minutes: number;
  readonly share: number;
  readonly keys: number;
  readonly peakSeconds: number;
  readonly data: string;
}

/** What is aimed at. */
const mebibytesPerMinuteMax = 1;
const p99RatioMax = 1.3;

/** Prints what becomes of a cluster under load for a long time; 1 if it wears out or loses. */
export async function runSoak(words: readonly string[]): Promise<number> {
  const program = new Command("coterie bench soak")
    .description(
      "Offers three durable nodes a share of their peak for a long time, half puts and half " +
        "gets of keys that stay the same, while two nodes are killed by turns and come back, " +
        "and all is repaired once: how memory grows, whether callers wait longer at the end, " +
        "and whether every acknowledged write is found through each node.",
    )
    .option("--minutes <number>", "of load; all that happens is drawn in or out", positive, 30)
    .option("--share <number>", "of the peak is offered", positive, 0.7)
    .option("--keys <count>", "that are written, and written again", wholeNumber, 20_000)
    .option("--peak-seconds <number>", "for which the peak is looked for", positive, 10)
    .option("--data <dir>", "where nodes keep their data meanwhile", ".coterie")
    .addHelpText(
      "after",
      `
Examples:
  npm run bench -- soak
  npm run bench -- soak --minutes 5`,
    );
  return runJudged(program, words, run);
}

function run(options: Options): Promise<boolean> {
  return inRunDirectory(options.data, "soak", async (directory) => {
    const limits = await measureLimits(directory);
    const found = await soak({ ...options, directory, say });
    const verdicts = verdictsOf(found);
    process.stdout.write(`${reportText(found, verdicts, limitsText(limits), options)}\n`);
    return verdicts.every(({ isGood }) => isGood);
  });
}

interface Verdict {
  readonly text: string;
  readonly isGood: boolean;
}

/** Of thirty parts, those that stand for minutes 5 to 10 of half an hour, and for the last five. */
function waitsAround(found: Soak): { readonly early: Waits; readonly late: Waits } {
  return { early: waitsOf(found.parts.slice(5, 10)), late: waitsOf(found.parts.slice(25)) };
}

function verdictsOf(found: Soak): readonly Verdict[] {
  const { early, late } = waitsAround(found);
  const ratio = late.all.p99 / early.all.p99;
  return [
    ...found.trends.map((trend, at) => memoryVerdict(trend, at)),
    {
      text: `p99 of the last sixth / of the second: ${ratio.toFixed(2)} (<= ${p99RatioMax})`,
      isGood: ratio <= p99RatioMax,
    },
    ...found.checks.map(checkVerdict),
  ];
}

function memoryVerdict(trend: Trend | undefined, at: number): Verdict {
  if (trend === undefined) return { text: `n${at + 1}: too short to say`, isGood: true };
  const { node, from, mebibytesFirst, mebibytesLast, mebibytesPerMinute } = trend;
  return {
    text:
      `RSS of ${node}: ${mebibytesPerMinute.toFixed(2)} MiB/min (< ${mebibytesPerMinuteMax}), ` +
      `from ${mebibytesFirst.toFixed(0)} to ${mebibytesLast.toFixed(0)} MiB, by ${from}`,
    isGood: mebibytesPerMinute < mebibytesPerMinuteMax,
  };
}

function checkVerdict({ node, keys, lost, unreadable, examples }: Check): Verdict {
  const isGood = lost + unreadable === 0;
  const counts = `${keys} keys read, ${lost} acknowledged writes lost, ${unreadable} unreadable`;
  return { text: [`through ${node}: ${counts}`, ...examples].join("\n    "), isGood };
}

function reportText(
  found: Soak,
  verdicts: readonly Verdict[],
  limits: string,
  { data, minutes, share, keys }: Options,
): string {
  const { early, late } = waitsAround(found);
  const { repair, schedule } = found;
  const row = (name: string, waits: Waits): readonly string[] => [
    name,
    `${waits.operations}`,
    `${waits.failed}`,
    ...[waits.gets, waits.puts, waits.all].flatMap(({ p50, p99, p999 }) =>
      [p50, p99, p999].map((ms) => ms.toFixed(1)),
    ),
  ];
  const kinds = ["reads", "writes", "all"].flatMap((kind) => [`${kind} p50 ms`, "p99", "p99.9"]);
  const errors = new Set(found.parts.flatMap((part) => [...part.errors]));
  return [
    machineText(data),
    limits,
    `3 nodes, fsynced on 2 of 3, read from 2 of 3; ${keys} keys, 100 B, half reads, half writes ` +
      `through the client, open loop of ${found.operationsPerSecond}/s for ${minutes} min,`,
    `which is ${share * 100} % of ${found.peak.toFixed(0)}/s, the peak of a closed loop of 64; ` +
      `${found.acknowledged} writes acknowledged; ${found.kills} kills, each away for ` +
      `${schedule.awaySeconds.toFixed(0)} s; ` +
      (repair === undefined ? "no repair" : `all compared in ${repair.seconds.toFixed(1)} s`),
    `CPU of the servers while none was away: ${found.cpuMicros.toFixed(0)} µs per operation; the ` +
      `generator stood still for ${found.stallMs.toFixed(0)} ms at most; failures: ` +
      (errors.size === 0 ? "none" : [...errors].join(", ")),
    "",
    alignedText([
      ["part", "operations", "failed", ...kinds],
      row("second sixth", early),
      row("last sixth", late),
      row("all of it", waitsOf(found.parts)),
    ]),
    "",
    ...verdicts.map(({ text, isGood }) => `${isGood ? "reached" : "MISSED "} ${text}`),
  ].join("\n");
}
