import { readFileSync } from "node:fs";
import { alignedText } from "./aligned-text.ts";
import { type Report, reportVersion } from "./report.ts";
import { type CellRounds, type Figure, type Spread, byCell, spreadOf } from "./summary.ts";

/** Differences below this are never called a change: clocks and counters are not finer. */
const floorOfRounds = 1.05;
/** What one round on each side can show: without repetitions the noise is not known. */
const floorOfOne = 1.25;

/** A figure that is compared with an earlier run. */
interface Compared {
  readonly title: string;
  readonly figure: Figure;
  readonly isBetter: "more" | "less";
}

/** Operations per second are left out: they differ by half on one machine within minutes. */
const compared: readonly Compared[] = [
  {
    title: "ops/CPU-s",
    figure: ({ operationsPerServerCpuSecond }) => operationsPerServerCpuSecond,
    isBetter: "more",
  },
  { title: "p50 ms", figure: ({ latencyMs }) => latencyMs.p50, isBetter: "less" },
  { title: "p99 ms", figure: ({ latencyMs }) => latencyMs.p99, isBetter: "less" },
  {
    title: "disk B/op",
    figure: ({ diskBytesPerOperation }) => diskBytesPerOperation,
    isBetter: "less",
  },
  { title: "fsyncs/op", figure: ({ fsyncsPerOperation }) => fsyncsPerOperation, isBetter: "less" },
];

/** How one figure of one cell changed. */
export interface Change {
  readonly cell: string;
  readonly figure: string;
  /** Now by then, of the medians. */
  readonly ratio: number;
  readonly verdict: "same" | "better" | "worse";
}

/** A report that an earlier run has written. */
export function readBaseline(file: string): Report {
  const report = JSON.parse(readFileSync(file, "utf8")) as Partial<Report>;
  if (report.version !== reportVersion || report.measurements === undefined) {
    throw new Error(`${file} is no report of this version of the bench`);
  }
  return report as Report;
}

/** The changes of every cell that both reports have. */
export function changesSince(baseline: Report, now: Report): readonly Change[] {
  const before = new Map(byCell(baseline.measurements).map((cell) => [cell.name, cell]));
  return byCell(now.measurements).flatMap((cell) => {
    const then = before.get(cell.name);
    return then === undefined ? [] : compared.flatMap((each) => changeOf(each, then, cell));
  });
}

function changeOf(
  { title, figure, isBetter }: Compared,
  then: CellRounds,
  now: CellRounds,
): readonly Change[] {
  const before = spreadOf(then.rounds, figure);
  const after = spreadOf(now.rounds, figure);
  if (before === undefined || after === undefined || before.median === 0) return [];
  const hasRounds = then.rounds.length > 1 && now.rounds.length > 1;
  const direction = directionOf(before, after, hasRounds ? floorOfRounds : floorOfOne);
  const verdict = direction === "same" ? "same" : direction === isBetter ? "better" : "worse";
  return [{ cell: now.name, figure: title, ratio: after.median / before.median, verdict }];
}

/** Not the same only if no round of one side lies among those of the other. */
function directionOf(before: Spread, after: Spread, floor: number): "more" | "less" | "same" {
  if (after.least > before.most && after.median > before.median * floor) return "more";
  if (after.most < before.least && after.median < before.median / floor) return "less";
  return "same";
}

/** The changes for people. */
export function changesText(baseline: Report, changes: readonly Change[]): string {
  const { commit, date } = baseline.machine;
  const title = `compared with commit ${commit} of ${date}:`;
  if (changes.length === 0) return `${title} no measurement in common`;
  const rows = changes.map(({ cell, figure, ratio, verdict }) => [
    cell,
    figure,
    ratio.toFixed(2),
    verdict === "worse" ? "worse !" : verdict,
  ]);
  return `${title}\n${alignedText([["cell", "figure", "now/then", "verdict"], ...rows])}`;
}
