import { Command } from "commander";
import { positive, wholeNumber } from "../arguments.ts";
import { machineText } from "../measure/machine.ts";
import { alignedText } from "../report/aligned-text.ts";
import { makeDataDirectory } from "../run/data-directory.ts";
import { runProgram } from "../run-program.ts";
import { say } from "../say.ts";
import { type WorkloadName, workloadNames } from "../workload/mix.ts";
import { type LargeValuesFindings, type Span, measureLargeValues } from "./measure.ts";

interface Options {
  readonly workload: WorkloadName;
  readonly small: number;
  readonly large: number;
  readonly inFlight: number;
  readonly largeInFlight: number;
  readonly smallShare: number;
  readonly largeShare: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly data: string;
}

const mebibyte = 1024 * 1024;

/** Prints what large values do to small operations; the exit code of the process. */
export async function runLargeValues(words: readonly string[]): Promise<number> {
  const program = new Command("coterie bench large-values")
    .description(
      "Three durable nodes under small operations alone and beside large values, in turns: how " +
        "much longer the small ones wait. Then one node is stopped, and values of 1 MiB are " +
        "written as fast as they go: how much memory the others take.",
    )
    .option("--workload <name>", `one of ${workloadNames.join(", ")}`, "a")
    .option("--small <bytes>", "of a small value", wholeNumber, 100)
    .option("--large <bytes>", "of a large value", wholeNumber, 64 * 1024)
    .option(
      "--in-flight <count>",
      "small calls under way while their peak is found",
      wholeNumber,
      64,
    )
    .option("--large-in-flight <count>", "the same for large ones", wholeNumber, 8)
    .option("--small-share <number>", "of their peak, small operations offered", positive, 0.25)
    .option("--large-share <number>", "of their peak, large operations offered", positive, 0.25)
    .option("--rounds <count>", "pairs of measurements", wholeNumber, 5)
    .option("--seconds <number>", "of each measurement", positive, 5)
    .option("--data <dir>", "where nodes keep their data meanwhile", ".coterie")
    .addHelpText(
      "after",
      `
Examples:
  npm run bench -- large-values
  npm run bench -- large-values --large 1048576 --large-in-flight 4 --rounds 9`,
    )
    .action(run);
  return runProgram(program, words);
}

async function run({ data, ...options }: Options): Promise<void> {
  const { workload, small, large, smallShare, largeShare } = options;
  if (!workloadNames.includes(workload)) throw new Error(`there is no workload ${workload}`);
  makeDataDirectory(data);
  const findings = await measureLargeValues({ ...options, directory: data, say });
  process.stdout.write(
    `${machineText(data)}\n` +
      `workload ${workload}, uniform, Pipe; ${small} B at ${smallShare} of their peak, ` +
      `${large} B at ${largeShare} of theirs; open loops; servers and generators share ` +
      `the cores\n\n${reportText(findings)}`,
  );
}

function reportText(findings: LargeValuesFindings): string {
  const { smallPeak, largePeak, spans, ratio, stopped } = findings;
  const { residentBefore, residentMost } = findings;
  return (
    `peaks, each alone: ${smallPeak.toFixed(0)} small/s, ${largePeak.toFixed(0)} large/s\n\n` +
    `${alignedText([titles, ...[...spans, ...stopped].map(rowOf)])}\n\n` +
    `p99 of small operations beside large ones is ${ratio.toFixed(2)} x that alone ` +
    "(median of the rounds)\n" +
    "a node stopped, 1 MiB written at full speed: the largest of the others went from " +
    `${mebibytes(residentBefore)} to ${mebibytes(residentMost)} MiB\n`
  );
}

const titles = [
  "small operations",
  "small/s",
  "p50 ms",
  "p99 ms",
  "large/s",
  "p99 ms",
  "CPUs",
  "RSS MiB",
  "failed",
];

function rowOf(span: Span): readonly string[] {
  return [
    span.name,
    span.smallPerSecond.toFixed(0),
    span.p50Ms.toFixed(1),
    span.p99Ms.toFixed(1),
    span.largePerSecond.toFixed(0),
    span.largeP99Ms.toFixed(1),
    span.cpuShare.toFixed(2),
    mebibytes(span.residentBytesPeak),
    span.errors.join(", "),
  ];
}

function mebibytes(bytes: number): string {
  return (bytes / mebibyte).toFixed(0);
}
