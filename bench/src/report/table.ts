import { limitsText } from "../measure/limits.ts";
import type { Measurement } from "../measure/measurement.ts";
import { byteName, isLoneWriter, pressureName } from "../measure/measurement.ts";
import { alignedText } from "./aligned-text.ts";
import { comparisonText } from "./comparison.ts";
import type { Report } from "./report.ts";
import { skewText } from "./skew.ts";
import { type CellRounds, type Figure, byCell, medianOf, spreadOf } from "./summary.ts";

/** A report for people. */
export function reportText(report: Report): string {
  const cells = byCell(report.measurements);
  const parts = [
    headText(report),
    alignedText(speedRows(cells)),
    alignedText(costRows(cells)),
    comparisonText(cells),
    skewText(cells),
    notesText(report, cells),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function headText({
  command,
  machine,
  limits,
  ceilings,
  targets,
  restart,
  pinning,
}: Report): string {
  const { date, commit, node, kernel, processor, cores, memoryBytes, filesystem } = machine;
  const lines = [
    command,
    `${date}  commit ${commit}  node ${node}  linux ${kernel}`,
    `${processor}, ${cores} cores, ${Math.round(memoryBytes / 2 ** 30)} GiB` +
      (filesystem === null ? "" : `, disk: ${filesystem}`) +
      (pinning === null
        ? ", not pinned"
        : `, servers on core ${pinning.servers}, generator on ${pinning.generators}`),
    ...targets.map(({ description }) => description),
  ];
  if (limits !== null) lines.push(limitsText(limits));
  for (const { driver, valueBytes, inFlight, operationsPerSecond } of ceilings) {
    lines.push(
      `ceiling of the generator: ${driver}, ${byteName(valueBytes)} B, ${inFlight} in flight: ` +
        `${whole(operationsPerSecond)}/s`,
    );
  }
  for (const { name, idleBytes } of targets) {
    if (idleBytes.length === 0) continue;
    const megabytes = idleBytes.map((bytes) => (bytes / 2 ** 20).toFixed(0));
    lines.push(`${name} idle: ${megabytes.join(", ")} MiB per process`);
  }
  if (restart !== null) {
    lines.push(`all nodes ready ${whole(restart.ms)} ms after a start on ${restart.keys} keys`);
  }
  return lines.join("\n");
}

const nameTitles = ["door", "workload", "keys", "value", "load"];

function namesOf({ cell }: CellRounds): readonly string[] {
  const { driver, workload, distribution, valueBytes, pressure } = cell;
  return [driver, workload, distribution, byteName(valueBytes), pressureName(pressure)];
}

function speedRows(cells: readonly CellRounds[]): readonly (readonly string[])[] {
  const titles = ["s", "ops/s", "peak", "p50 ms", "p90", "p99", "p99.9", "p99.99", "max", "failed"];
  const isOpen = cells.some(({ cell }) => cell.pressure.kind === "open");
  const rows = cells.map((cell) => {
    const { rounds } = cell;
    const latency = (of: (measurement: Measurement) => number): string =>
      milliseconds(medianOf(rounds, of));
    return [
      ...namesOf(cell),
      number(
        medianOf(rounds, ({ seconds }) => seconds),
        1,
      ),
      number(medianOf(rounds, ({ operationsPerSecond }) => operationsPerSecond)),
      number(medianOf(rounds, ({ operationsPerSecondPeak }) => operationsPerSecondPeak)),
      latency(({ latencyMs }) => latencyMs.p50),
      latency(({ latencyMs }) => latencyMs.p90),
      latency(({ latencyMs }) => latencyMs.p99),
      latency(({ latencyMs }) => latencyMs.p999),
      latency(({ latencyMs }) => latencyMs.p9999),
      latency(({ latencyMs }) => latencyMs.max),
      failuresText(rounds),
      ...(isOpen ? [milliseconds(medianOf(rounds, ({ latenessMsP99 }) => latenessMsP99))] : []),
    ];
  });
  return [[...nameTitles, ...titles, ...(isOpen ? ["late p99"] : [])], ...rows];
}

/** Title and figure of each column of costs. */
const costs: readonly (readonly [title: string, figure: Figure, digits: number])[] = [
  ["ops/CPU-s", ({ operationsPerServerCpuSecond }) => operationsPerServerCpuSecond, 0],
  ["CPU µs/op", ({ serverCpuMicros }) => serverCpuMicros, 1],
  ["gen. µs", ({ generatorCpuMicros }) => generatorCpuMicros, 1],
  ["gen. busy %", ({ generatorBusy }) => generatorBusy * 100, 0],
  ["ops/message", ({ operationsPerPeerMessage }) => operationsPerPeerMessage, 1],
  ["fsyncs/op", ({ fsyncsPerOperation }) => fsyncsPerOperation, 3],
  ["wire B/op", ({ wireBytesPerOperation }) => wireBytesPerOperation, 0],
  ["peer B/op", ({ peerBytesPerOperation }) => peerBytesPerOperation, 0],
  ["disk B/op", ({ diskBytesPerOperation }) => diskBytesPerOperation, 0],
  ["write ampl.", ({ writeAmplification }) => writeAmplification, 1],
  ["RSS MiB", ({ residentBytesMean }) => megabytes(residentBytesMean), 0],
  ["peak", ({ residentBytesPeak }) => megabytes(residentBytesPeak), 0],
  ["loop p99 ms", ({ eventLoopDelayMsP99 }) => eventLoopDelayMsP99, 1],
  ["GC %", ({ gcShare }) => (gcShare === null ? null : gcShare * 100), 1],
];

function costRows(cells: readonly CellRounds[]): readonly (readonly string[])[] {
  const rows = cells.map((cell) => [
    ...namesOf(cell),
    ...costs.map(([, figure, digits]) => number(medianOf(cell.rounds, figure), digits)),
    noiseText(cell),
  ]);
  return [[...nameTitles, ...costs.map(([title]) => title), "±"], ...rows];
}

/** How far rounds differ in operations per CPU second. */
function noiseText({ rounds }: CellRounds): string {
  const spread = spreadOf(rounds, costs[0]?.[1] ?? (() => null));
  if (spread === undefined || rounds.length < 2) return "-";
  return `${(((spread.most - spread.least) / 2 / spread.median) * 100).toFixed(0)} %`;
}

function failuresText(rounds: readonly Measurement[]): string {
  const kinds = new Map<string, number>();
  for (const { errors } of rounds) {
    for (const [kind, count] of Object.entries(errors)) {
      kinds.set(kind, (kinds.get(kind) ?? 0) + count);
    }
  }
  if (kinds.size === 0) return "0";
  return [...kinds].map(([kind, count]) => `${count} ${kind}`).join(", ");
}

function notesText({ limits }: Report, cells: readonly CellRounds[]): string {
  const lines: string[] = [];
  for (const { name, rounds } of cells) {
    if (rounds.some(({ isGeneratorLimited }) => isGeneratorLimited)) {
      lines.push(`! ${name}: the generator may be the limit; the servers could perhaps do more`);
    }
    const reads = rounds.reduce((sum, { contextReads }) => sum + contextReads, 0);
    const operations = rounds.reduce((sum, round) => sum + round.operations, 0);
    if (reads > operations / 1000) {
      const share = ((reads / operations) * 100).toFixed(1);
      lines.push(`${name}: ${share} % of the operations read first, because of siblings`);
    }
  }
  for (const { name, cell, rounds } of cells) {
    if (limits === null || !isLoneWriter(cell)) continue;
    const rate = medianOf(rounds, ({ operationsPerSecond }) => operationsPerSecond) ?? 0;
    const alone = (rate / limits.fdatasyncPerSecond).toFixed(2);
    const shared = (rate / limits.sharedFdatasyncPerSecond).toFixed(2);
    const bare = limits.bareQuorumPerSecond;
    const ceiling = bare === null ? "" : `, ${(rate / bare).toFixed(2)} of a bare quorum`;
    lines.push(
      `${name}: one waiting client has ${alone} of the fdatasync rate of one process alone, ` +
        `${shared} of that of three at once${ceiling}`,
    );
  }
  return lines.join("\n");
}

function megabytes(bytes: number | null): number | null {
  return bytes === null ? null : bytes / 2 ** 20;
}

function milliseconds(value: number | null): string {
  if (value === null) return "-";
  return value < 100 ? value.toFixed(2) : value.toFixed(0);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function number(value: number | null, digits: number = 0): string {
  if (value === null) return "-";
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
