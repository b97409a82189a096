import { Command } from "commander";
import { positive, wholeNumber } from "../arguments.ts";
import { machineText } from "../measure/machine.ts";
import { alignedText } from "../report/aligned-text.ts";
import { makeDataDirectory } from "../run/data-directory.ts";
import { runJudged } from "../run-program.ts";
import { say } from "../say.ts";
import { type Growth, grow } from "./grow.ts";
import type { Span } from "./steady-load.ts";

interface Options {
  readonly records: number;
  readonly value: number;
  readonly inFlight: number;
  readonly seconds: number;
  readonly data: string;
}

/** What is aimed at: while partitions move, and at twice as many processes. */
const throughputMin = 0.7;
const cpuMax = 1.2;

/** Prints what a cluster does while it grows; 1 if that is less than it should. */
export async function runScale(words: readonly string[]): Promise<number> {
  const program = new Command("coterie bench scale")
    .description(
      "Three nodes on this machine's disk become six, one after the other, under a load of " +
        "durable puts and quorum gets over Pipe: what is done while partitions move, how long " +
        "callers wait, and what an operation costs all server processes.",
    )
    .option("--records <count>", "keys to load at first", wholeNumber, 200_000)
    .option("--value <bytes>", "of a value", wholeNumber, 100)
    .option("--in-flight <count>", "calls under way at all times", wholeNumber, 64)
    .option("--seconds <number>", "of each measurement while nothing moves", positive, 6)
    .option("--data <dir>", "where nodes keep their data meanwhile", ".coterie")
    .addHelpText(
      "after",
      `
Examples:
  npm run bench -- scale
  npm run bench -- scale --records 1000000 --value 1000 --seconds 20`,
    );
  return runJudged(program, words, run);
}

async function run({ data, value, ...options }: Options): Promise<boolean> {
  makeDataDirectory(data);
  const growth = await grow({ ...options, directory: data, valueBytes: value, say });
  const lines = [
    machineText(data),
    `${options.records} keys of ${value} B, half puts and half gets, ${options.inFlight} in ` +
      `flight; one generator process, on the same cores as all nodes`,
    "",
    alignedText([header, ...spansOf(growth).map(rowOf)]),
    "",
    ...ratiosOf(growth).map(({ text }) => text),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  return ratiosOf(growth).every(({ isGood }) => isGood);
}

const header: readonly string[] = [
  "span",
  "s",
  "ops/s",
  "p50 ms",
  "p99 ms",
  "max ms",
  "CPU us/op",
  "gen. us/op",
  "gen. busy %",
  "messages/op",
  "syncs/op",
  "sync ms",
  "failed",
];

function spansOf({ joins, asManyEach }: Growth): readonly Span[] {
  const first = joins.slice(0, 1).map(({ before }) => before);
  const others = joins.flatMap(({ moving, whole, after }) => [whole, moving, after]);
  return [...first, ...others, { ...asManyEach, name: `${asManyEach.nodes} nodes, twice as many` }];
}

function rowOf(span: Span): readonly string[] {
  const failed = Object.entries(span.errors).map(([kind, count]) => `${count} ${kind}`);
  return [
    span.name,
    span.seconds.toFixed(1),
    perSecond(span).toFixed(0),
    span.p50Ms.toFixed(1),
    span.p99Ms.toFixed(1),
    span.maxMs.toFixed(0),
    span.serverCpuMicros.toFixed(0),
    span.generatorCpuMicros.toFixed(0),
    (span.generatorBusy * 100).toFixed(0),
    span.told?.messagesPerOperation.toFixed(2) ?? "",
    span.told?.syncsPerOperation.toFixed(2) ?? "",
    span.told?.syncMs.toFixed(1) ?? "",
    failed.length === 0 ? "0" : failed.join(", "),
  ];
}

interface Ratio {
  readonly text: string;
  readonly isGood: boolean;
}

function ratiosOf({ joins, asManyEach }: Growth): readonly Ratio[] {
  const during = joins.map(({ id, before, after, moving, whole, bytesMoved }) => {
    const ratio = perSecond(moving) / perSecond(before);
    const ofAfter = (perSecond(moving) / perSecond(after)).toFixed(2);
    const megabytes = (bytesMoved / 1e6).toFixed(1);
    const aim = `(>= ${throughputMin})`;
    return {
      text:
        `${id}: ${ratio.toFixed(2)} of the throughput before ${aim}, ${ofAfter} of that after, ` +
        `while ${megabytes} MB move; ` +
        `p99 ${before.p99Ms.toFixed(1)} ms before, ${moving.p99Ms.toFixed(1)} while they move, ` +
        `${whole.p99Ms.toFixed(1)} over the whole join`,
      isGood: ratio >= throughputMin,
    };
  });
  const three = joins[0]?.before;
  const six = joins.at(-1)?.after;
  if (three === undefined || six === undefined) return during;
  const cpu = (span: Span, what: string): Ratio => {
    const ratio = span.serverCpuMicros / three.serverCpuMicros;
    const nodes = `${span.nodes} processes / at ${three.nodes}`;
    const text = `CPU per operation at ${nodes}: ${ratio.toFixed(2)} (<= ${cpuMax}), ${what}`;
    return { text, isGood: ratio <= cpuMax };
  };
  return [
    ...during,
    { ...cpu(six, "with as many in flight"), isGood: true },
    cpu(asManyEach, "with as many in flight for each process"),
  ];
}

function perSecond({ operations, seconds }: Span): number {
  return operations / seconds;
}
