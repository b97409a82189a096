import { Command, InvalidArgumentError, Option } from "commander";
import { positive, wholeNumber } from "../arguments.ts";
import { type DoorName, doorNames } from "../failover/doors.ts";
import { limitsText, measureLimits } from "../measure/limits.ts";
import { machineText } from "../measure/machine.ts";
import { alignedText } from "../report/aligned-text.ts";
import { inRunDirectory } from "../run/data-directory.ts";
import { runJudged } from "../run-program.ts";
import { say } from "../say.ts";
import { type ConditionName, conditionNames, conditions, settingsOf } from "./conditions.ts";
import { LoadedCluster, type Span } from "./loaded-cluster.ts";
import type { Tails } from "./tails.ts";

interface Options {
  readonly door: DoorName;
  readonly only: readonly ConditionName[];
  readonly share: number;
  /** Operations per second, whatever the peak is. */
  readonly rate: number | undefined;
  readonly seconds: number;
  readonly peakSeconds: number;
  readonly keys: number;
  readonly syncMs: number;
  readonly data: string;
}

interface Found {
  readonly name: ConditionName;
  /** A text: why it was not measured. */
  readonly span: Span | string;
}

/** What is aimed at, for reads and for writes, whatever goes on. */
const p99MsMax = 10;

/** Prints how long callers wait while all kinds of things go on; 1 if that is too long. */
export async function runTails(words: readonly string[]): Promise<number> {
  const program = new Command("coterie bench tails")
    .description(
      "Finds the peak of three durable nodes, then offers a share of it in an open loop, half " +
        "puts and half gets, each timed from when it was due: while all is well, a node is " +
        "killed, stopped or slow to sync, a fourth joins, segments are compacted, and a node is " +
        "repaired.",
    )
    .addOption(
      new Option("--door <name>", "how nodes are asked; http and resp leave out who is away")
        .choices(doorNames)
        .default("client"),
    )
    .option("--only <list>", `some of: ${conditionNames.join(", ")}`, list, conditionNames)
    .option("--share <number>", "of the peak is offered", positive, 0.6)
    .option(
      "--rate <number>",
      "operations a second that are offered, in place of a share",
      positive,
    )
    .option("--seconds <number>", "of each condition, at least", positive, 15)
    .option("--peak-seconds <number>", "for which the peak is looked for", positive, 8)
    .option("--keys <count>", "that are there from the beginning", wholeNumber, 40_000)
    .option("--sync-ms <number>", "by which syncs of the slow disk take longer", positive, 50)
    .option("--data <dir>", "where nodes keep their data meanwhile", ".coterie")
    .addHelpText(
      "after",
      `
Examples:
  npm run bench -- tails
  npm run bench -- tails --only killed,stopped --door resp --seconds 30
  npm run bench -- tails --only "slow disk" --sync-ms 200
  npm run bench -- tails --rate 3000 --only join,repair`,
    );
  return runJudged(program, words, run);
}

function list(text: string): readonly ConditionName[] {
  const chosen = text.split(",").map((word) => word.trim());
  const unknown = chosen.find((word) => !conditionNames.some((name) => name === word));
  if (unknown !== undefined) throw new InvalidArgumentError(`There is no ${unknown}.`);
  return conditionNames.filter((name) => chosen.includes(name));
}

async function run(options: Options): Promise<boolean> {
  const found = await inRunDirectory(options.data, "tails", (directory) =>
    measureAll(directory, options),
  );
  return found.every(({ span }) => typeof span !== "string" && isWithin(span));
}

async function measureAll(directory: string, options: Options): Promise<readonly Found[]> {
  const { only, share, rate, seconds, peakSeconds, keys, syncMs, door } = options;
  const found: Found[] = [];
  const limits = await measureLimits(directory);
  let peak = 0;
  for (const names of clustersOf(only)) {
    const settings = settingsOf[names[0] as ConditionName] ?? {};
    say(`starting three nodes for: ${names.join(", ")}`);
    const loaded = await LoadedCluster.start({ directory, door, keys, settings });
    try {
      await loaded.write();
      // Later clusters are asked for as much, and are warm by their keys and their warm-up.
      if (peak === 0) peak = await loaded.peak(peakSeconds);
      const operationsPerSecond = rate ?? Math.max(1, Math.round(peak * share));
      for (const name of names) {
        const input = { loaded, operationsPerSecond, seconds, syncMs, directory };
        const span = await conditions[name](input);
        found.push({ name, span });
        say(`${name}: ${typeof span === "string" ? span : lineOf(span)}`);
      }
    } catch (error) {
      // What the others were measured to be is reported all the same.
      const why = error instanceof Error ? error.message : String(error);
      const left = names.filter((name) => !found.some((one) => one.name === name));
      for (const name of left) found.push({ name, span: why });
      say(`${left.join(", ")}: not measured: ${why}`);
    } finally {
      await loaded.stop();
    }
  }
  process.stdout.write(reportText(found, { ...options, peak, limits: limitsText(limits) }));
  return found;
}

/** Those without settings of their own go to one cluster; a join, which changes it, is last. */
function clustersOf(names: readonly ConditionName[]): readonly (readonly ConditionName[])[] {
  const usual = names.filter((name) => settingsOf[name] === undefined);
  const others = names.filter((name) => settingsOf[name] !== undefined);
  return [...(usual.length > 0 ? [usual] : []), ...others.map((name) => [name])];
}

function isWithin({ puts, gets }: Span): boolean {
  return puts.p99 < p99MsMax && gets.p99 < p99MsMax;
}

function lineOf({ puts, gets, errors, meanwhile, stallMs }: Span): string {
  const tails = (name: string, one: Tails): string =>
    `${name} p99 ${msText(one.p99)}, p99.9 ${msText(one.p999)}, ${one.failed} of ` +
    `${one.operations} failed`;
  return (
    `${tails("reads", gets)}; ${tails("writes", puts)} ${errors.join(" ")}; ${meanwhile}; ` +
    `generator stood still ${stallMs.toFixed(0)} ms`
  );
}

function msText(ms: number): string {
  return Number.isFinite(ms) ? ms.toFixed(1) : "never";
}

function reportText(
  found: readonly Found[],
  {
    peak,
    share,
    rate = peak * share,
    door,
    limits,
    data,
  }: Options & { readonly peak: number; readonly limits: string },
): string {
  const ofEach = ["p50 ms", "p99", "p99.9", "most", "failed"];
  const titles = ["condition", "s", "reads", ...ofEach, "writes", ...ofEach];
  const further = ["CPU µs/op", "stall ms", "p99 both", "meanwhile"];
  const columns = (one: Tails): readonly string[] => [
    `${one.operations}`,
    ...[one.p50, one.p99, one.p999, one.most].map(msText),
    `${one.failed}`,
  ];
  const rows = found.map(({ name, span }) => {
    if (typeof span === "string") return [name, "", "", `not measured: ${span}`];
    return [
      name,
      span.seconds.toFixed(1),
      ...columns(span.gets),
      ...columns(span.puts),
      span.cpuMicros.toFixed(0),
      span.stallMs.toFixed(0),
      isWithin(span) ? "reached" : "MISSED",
      span.meanwhile,
    ];
  });
  return (
    `${machineText(data)}\n` +
    `${limits}\n` +
    "3 nodes, fsynced on 2 of 3, read from 2 of 3, 100 B; half reads, half writes through " +
    `${door === "client" ? "the client" : `the ${door} doors`}, open loop of ` +
    `${rate.toFixed(0)}/s,\nwhich is ${((100 * rate) / peak).toFixed(0)} % of ` +
    `${peak.toFixed(0)}/s, the peak of a closed loop of 64 with all well; ` +
    "each timed from when it was due; a failed one\n" +
    "counts as never answered; CPU of the server processes that were there to the end\n\n" +
    `${alignedText([[...titles, ...further], ...rows])}\n\n` +
    `aimed at: p99 below ${p99MsMax} ms for reads and for writes, in each\n`
  );
}
