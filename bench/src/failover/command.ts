import { Command, Option } from "commander";
import { positive, wholeNumber } from "../arguments.ts";
import { machineText } from "../measure/machine.ts";
import { alignedText } from "../report/aligned-text.ts";
import { type DoorName, doorNames } from "./doors.ts";
import { peerFigures } from "./peers.ts";
import { type FaultName, type Span, faultNames, runTrials } from "./trials.ts";
import { makeDataDirectory } from "../run/data-directory.ts";
import { runJudged } from "../run-program.ts";
import { say } from "../say.ts";

interface Options {
  readonly door: DoorName;
  readonly fault: readonly FaultName[];
  readonly victims?: readonly string[];
  readonly nodes: number;
  readonly rate: number;
  readonly away: number;
  readonly around: number;
  readonly minutes?: number;
  readonly data: string;
}

/** What is aimed at, for any node that fails. */
const gapMsMax = 100;
const groupGapMsMax = 200;
const servedMin = 0.9999;

/** Prints how the others serve while a node is away; 1 if they do it worse than they should. */
export async function runFailover(words: readonly string[]): Promise<number> {
  const program = new Command("coterie bench failover")
    .description(
      "Kills (SIGKILL) and stops (SIGSTOP) each node of a real cluster in turn, and lets it come " +
        "back, under a steady load of puts and gets through the others. Prints the longest time " +
        "in which no write, or no read, succeeded.",
    )
    .addOption(
      new Option("--door <name>", "how the others are asked").choices(doorNames).default("http"),
    )
    .option("--fault <list>", `what happens: ${faultNames.join(", ")}`, list, [...faultNames])
    .option("--victims <list>", "nodes that fail, as in n1,n3; all if left out", list)
    .option("--nodes <count>", "of the cluster", wholeNumber, 3)
    .option("--rate <count>", "operations per second, half of them puts", wholeNumber, 1000)
    .option("--away <seconds>", "how long a node is away", positive, 9)
    .option("--around <seconds>", "how long before and after that is watched", positive, 4)
    .option("--minutes <number>", "one node is killed and away for so long, instead", positive)
    .option("--data <dir>", "where nodes keep their data meanwhile", ".coterie")
    .addHelpText(
      "after",
      `
Examples:
  npm run bench -- failover
  npm run bench -- failover --fault stop --victims n2 --door resp
  npm run bench -- failover --minutes 10`,
    );
  return runJudged(program, words, run);
}

function list(text: string): readonly string[] {
  return text.split(",").filter((word) => word !== "");
}

async function run(options: Options): Promise<boolean> {
  makeDataDirectory(options.data);
  const isLong = options.minutes !== undefined;
  const spans = await runTrials({
    door: options.door,
    faults: isLong ? ["kill"] : options.fault,
    nodes: options.nodes,
    victims: isLong ? (options.victims ?? ["n2"]).slice(0, 1) : options.victims,
    operationsPerSecond: options.rate,
    awaySeconds: options.minutes === undefined ? options.away : options.minutes * 60,
    aroundSeconds: options.around,
    directory: options.data,
    say,
  });
  process.stdout.write(reportText(spans, options));
  return isLong ? isServed(spans) : spans.every(isWithin);
}

function isWithin({ phase, putGapMs, getGapMs, groupGapMs }: Span): boolean {
  return (
    phase === "before" || (Math.max(putGapMs, getGapMs) < gapMsMax && groupGapMs < groupGapMsMax)
  );
}

function isServed(spans: readonly Span[]): boolean {
  return spans.every((span) => servedShare(span) >= servedMin);
}

function servedShare({ operations, putsFailed, getsFailed }: Span): number {
  return 1 - (putsFailed + getsFailed) / Math.max(1, operations);
}

function reportText(spans: readonly Span[], { data, nodes, door, rate }: Options): string {
  const titles = [
    "fault",
    "node",
    "phase",
    "s",
    "operations",
    "write gap ms",
    "read gap",
    "worst group",
  ];
  const further = ["failed writes", "reads", "served %", "p99 ms", "most", "generator stood still"];
  const rows = spans.map((span) => [
    span.fault,
    span.node,
    span.phase,
    span.seconds.toFixed(1),
    `${span.operations}`,
    ...[span.putGapMs, span.getGapMs, span.groupGapMs].map((ms) => ms.toFixed(0)),
    `${span.putsFailed}`,
    `${span.getsFailed}`,
    (servedShare(span) * 100).toFixed(3),
    span.p99Ms.toFixed(1),
    ...[span.mostMs, span.stallMs].map((ms) => ms.toFixed(0)),
  ]);
  const peers = peerFigures.map((peer) => [peer.name, peer.writeGap, peer.worstGroup, peer.failed]);
  return (
    `${machineText(data)}\n` +
    `${nodes} nodes, fsynced on 2 of 3, read from 2 of 3; ${rate} operations/s through ` +
    `${door === "client" ? "the client" : `the ${door} doors of the others`}, open loop\n\n` +
    `${alignedText([[...titles, ...further], ...rows])}\n\n` +
    `aimed at: gaps below ${gapMsMax} ms, below ${groupGapMsMax} ms in the worst group of keys, ` +
    `${servedMin * 100} % served in ten minutes\n\n` +
    "others, measured earlier, same load:\n" +
    `${alignedText([["store", "write gap", "worst group", "failed writes / reads"], ...peers])}\n`
  );
}
