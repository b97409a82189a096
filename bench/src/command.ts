import { setCollectorFlags } from "@coterie/server";
import { writeFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { runAntiEntropy } from "./anti-entropy/command.ts";
import { positive, wholeNumber } from "./arguments.ts";
import { type DriverName, driverNames } from "./drivers/open-driver.ts";
import { runBulkFile } from "./bulk-file/command.ts";
import { runEngines } from "./engines/command.ts";
import { runFailover } from "./failover/command.ts";
import { runHandoff } from "./handoff/command.ts";
import { runManyKeys } from "./many-keys/command.ts";
import { pinningFor } from "./measure/pinning.ts";
import { runLargeValues } from "./large-values/command.ts";
import { runMembership } from "./membership/command.ts";
import { changesSince, changesText, readBaseline } from "./report/baseline.ts";
import { writeCurves } from "./report/curves.ts";
import { runOverload } from "./overload/command.ts";
import { reportText } from "./report/table.ts";
import { runResp } from "./resp/command.ts";
import { runScale } from "./scale/command.ts";
import { runSoak } from "./soak/command.ts";
import { runTails } from "./tails/command.ts";
import { runBench as runPlan } from "./run/bench.ts";
import { type SuiteName, cellsOf } from "./run/suites.ts";
import { say } from "./say.ts";
import {
  type Distribution,
  type WorkloadName,
  distributionNames,
  mixes,
  workloadNames,
} from "./workload/mix.ts";
import { runProgram } from "./run-program.ts";
import { runTopology } from "./topology/command.ts";

interface Options {
  readonly driver?: readonly DriverName[];
  readonly workload?: readonly WorkloadName[];
  readonly distribution?: readonly Distribution[];
  readonly value?: readonly number[];
  readonly inFlight?: readonly number[];
  readonly rate?: readonly number[];
  readonly seconds: number;
  readonly operations?: number;
  readonly rounds: number;
  readonly records: number;
  readonly seed: number;
  readonly generators: number;
  readonly nodes?: readonly string[];
  readonly data: string;
  readonly pin?: boolean;
  readonly ceiling: boolean;
  readonly json?: string;
  readonly svg?: string;
  readonly baseline?: string;
}

const suiteNames: readonly SuiteName[] = ["default", "compare", "curves", "hot-keys"];
const kibibyte = 1024;

/** Runs the bench as its command line says; the exit code of its process. */
export async function runBench(words: readonly string[]): Promise<number> {
  // Some measure from this process: while it stood still, it would be the servers that are slow.
  setCollectorFlags();
  if (words[0] === "membership") return runMembership(words.slice(1));
  if (words[0] === "failover") return runFailover(words.slice(1));
  if (words[0] === "handoff") return runHandoff(words.slice(1));
  if (words[0] === "anti-entropy") return runAntiEntropy(words.slice(1));
  if (words[0] === "topology") return runTopology(words.slice(1));
  if (words[0] === "scale") return runScale(words.slice(1));
  if (words[0] === "resp") return runResp(words.slice(1));
  if (words[0] === "overload") return runOverload(words.slice(1));
  if (words[0] === "large-values") return runLargeValues(words.slice(1));
  if (words[0] === "tails") return runTails(words.slice(1));
  if (words[0] === "bulk-file") return runBulkFile(words.slice(1));
  if (words[0] === "soak") return runSoak(words.slice(1));
  if (words[0] === "many-keys") return runManyKeys(words.slice(1));
  if (words[0] === "engines") return runEngines(words.slice(1));
  let exit = 0;
  const program = newProgram(async (suite, options) => {
    exit = await run(suite, options, words);
  });
  return runProgram(program, words, () => exit);
}

function newProgram(
  action: (suite: SuiteName | undefined, options: Options) => Promise<void>,
): Command {
  return new Command("coterie bench")
    .description(
      "Measures a store: what it does per second, how long callers wait, and what it costs the " +
        "servers. Starts three nodes on this machine's disk, unless --nodes names a cluster.",
    )
    .argument(
      "[suite]",
      "default; compare, with other stores; curves, over numbers in flight; hot-keys",
    )
    .addOption(listOption("--driver <list>", "protocols", driverNames))
    .addOption(listOption("--workload <list>", "mixes of operations", workloadNames))
    .addOption(listOption("--distribution <list>", "of keys", distributionNames))
    .option("--value <list>", "bytes of a value, as in 100,1k,64k", numbers(1, 8 * 1024 * 1024))
    .option("--in-flight <list>", "closed loop: calls under way at all times", numbers(1, 65_536))
    .option("--rate <list>", "open loop: operations begun per second", numbers(1, 10_000_000))
    .option("--seconds <number>", "of each measurement", positive, 5)
    .option("--operations <count>", "end a measurement after so many", wholeNumber)
    .option("--rounds <count>", "measure everything so often", wholeNumber, 1)
    .option("--records <count>", "keys to load at first", wholeNumber, 10_000)
    .option("--seed <number>", "the same seed, the same operations", wholeNumber, 1)
    .option("--generators <count>", "processes that make the load", wholeNumber, 1)
    .option("--nodes <list>", "HTTP addresses of a running cluster to measure", words)
    .option("--data <dir>", "where stores keep their data meanwhile", ".coterie")
    .option("--pin", "servers and generator on cores of their own")
    .option("--no-ceiling", "do not measure the generator by itself first")
    .option("--json <file>", "write all that was found")
    .option("--svg <dir>", "draw curves over the load")
    .option("--baseline <file>", "compare with what --json wrote earlier; exits 1 if it was better")
    .addHelpText("after", helpText())
    .action(async (suite: string | undefined, options: Options) => {
      if (suite !== undefined && !suiteNames.includes(suite as SuiteName)) {
        throw new Error(`there is no suite ${suite}: ${suiteNames.join(", ")}`);
      }
      await action(suite as SuiteName | undefined, options);
    });
}

function helpText(): string {
  const rows = workloadNames.map((name) => `  ${name.padEnd(18)} ${mixes[name].explanation}`);
  return `
Workloads:
${rows.join("\n")}

Examples:
  npm run bench
  npm run bench -- compare --pin --rounds 2 --json compare.json
  npm run bench -- curves --svg curves
  npm run bench -- hot-keys --rounds 3
  npm run bench -- --rounds 3 --baseline before.json
  npm run bench -- membership --help
  npm run bench -- resp --help
  npm run bench -- overload --help
  npm run bench -- large-values --help
  npm run bench -- tails --help
  npm run bench -- soak --help
  npm run bench -- bulk-file --help
  npm run bench -- many-keys --help
  npm run bench -- engines --help
  npm run bench -- failover --help
  npm run bench -- handoff --help
  npm run bench -- anti-entropy --help
  npm run bench -- topology --help
  npm run bench -- scale --help
  npm run bench -- --driver http --workload a,f --value 100,1k --in-flight 1,64
  npm run bench -- --driver http --workload b --rate 2000 --seconds 20
  coterie bench --nodes http://10.0.0.1:7401,http://10.0.0.2:7401 --workload a`;
}

async function run(
  suite: SuiteName | undefined,
  options: Options,
  words: readonly string[],
): Promise<number> {
  // What cannot be read is better known before than after minutes of measuring.
  const baseline = options.baseline === undefined ? undefined : readBaseline(options.baseline);
  const wishes = {
    ...(options.driver !== undefined && { drivers: options.driver }),
    ...(options.workload !== undefined && { workloads: options.workload }),
    ...(options.value !== undefined && { valueBytes: options.value }),
    ...(options.inFlight !== undefined && { inFlight: options.inFlight }),
    distributions: options.distribution,
    rates: options.rate,
  };
  const pinning = options.pin === true ? pinningFor() : undefined;
  if (typeof pinning === "string") throw new Error(`--pin is not possible: ${pinning}`);
  const isChosen = Object.values(wishes).some((wish) => wish !== undefined);
  const report = await runPlan({
    command: ["coterie bench", ...words].join(" "),
    cells: cellsOf(suite ?? "default", wishes),
    rounds: options.rounds,
    nodes: options.nodes,
    data: options.data,
    hasCeilings: options.ceiling,
    hasRestart: suite === undefined && !isChosen && options.nodes === undefined,
    generators: options.generators,
    pinning,
    records: options.records,
    seed: options.seed,
    seconds: options.seconds,
    operationsMax: options.operations,
    say,
  });
  process.stdout.write(`\n${reportText(report)}`);
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  }
  if (options.svg !== undefined) {
    for (const file of writeCurves(report, options.svg)) say(`wrote ${file}`);
  }
  if (baseline === undefined) return 0;
  const changes = changesSince(baseline, report);
  process.stdout.write(`\n${changesText(baseline, changes)}\n`);
  return changes.some(({ verdict }) => verdict === "worse") ? 1 : 0;
}

function words(text: string): readonly string[] {
  return text.split(",").filter((word) => word !== "");
}

/** A list of some of the `known` words, checked one by one. */
function listOption(flags: string, description: string, known: readonly string[]): Option {
  return new Option(flags, `${description}: ${known.join(", ")}`).argParser((text) => {
    const chosen = words(text);
    const unknown = chosen.find((word) => !known.includes(word));
    if (unknown !== undefined || chosen.length === 0) {
      throw new InvalidArgumentError(`It takes some of ${known.join(", ")}, by commas.`);
    }
    return chosen;
  });
}

/** Whole numbers by commas; `k` is 1024. */
function numbers(least: number, most: number): (text: string) => readonly number[] {
  return (text) =>
    words(text).map((word) => {
      const match = /^(\d+)(k?)$/u.exec(word);
      const number = Number(match?.[1]) * (match?.[2] === "k" ? kibibyte : 1);
      if (match === null || number < least || number > most) {
        throw new InvalidArgumentError(`It takes whole numbers from ${least} to ${most}.`);
      }
      return number;
    });
}
