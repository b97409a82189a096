import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cell, byteName } from "../measure/measurement.ts";
import type { Machine } from "../measure/machine.ts";
import { type Panel, type Series, chartSvg } from "./chart-svg.ts";
import { type CellRounds, type Figure, byCell, medianOf } from "./summary.ts";
import type { Report } from "./report.ts";

/** One file per workload: throughput, cost and latency over the load. Returns their names. */
export function writeCurves(report: Report, directory: string): readonly string[] {
  mkdirSync(directory, { recursive: true });
  const files = new Map<string, CellRounds[]>();
  for (const cell of byCell(report.measurements)) {
    const name = fileName(cell.cell);
    files.set(name, [...(files.get(name) ?? []), cell]);
  }
  return [...files].map(([name, cells]) => {
    const path = join(directory, name);
    writeFileSync(path, curvesSvg(name.replace(/\.svg$/u, ""), cells, report.machine));
    return path;
  });
}

function fileName({ workload, distribution, valueBytes, pressure }: Cell): string {
  const suffix = pressure.kind === "open" ? "-open" : "";
  return `${workload}-${distribution}-${byteName(valueBytes)}${suffix}.svg`;
}

function curvesSvg(title: string, cells: readonly CellRounds[], machine: Machine): string {
  const isOpen = cells[0]?.cell.pressure.kind === "open";
  const x = isOpen ? "operations due per second" : "calls in flight";
  const latency = (share: "p50" | "p99"): readonly Series[] =>
    seriesOf(cells, ({ latencyMs }) => latencyMs[share], share === "p50" ? "dashed" : "solid");
  const panels: Panel[] = [
    {
      title: "operations per second",
      x,
      series: seriesOf(cells, ({ operationsPerSecond }) => operationsPerSecond, "solid"),
    },
    {
      title: "latency in ms: p99, and p50 dashed",
      x,
      series: [...latency("p99"), ...latency("p50")],
    },
  ];
  const cost = seriesOf(
    cells,
    ({ operationsPerServerCpuSecond }) => operationsPerServerCpuSecond,
    "solid",
  );
  if (cost.length > 0) {
    panels.push({ title: "operations per second of server CPU", x, series: cost });
  }
  const { date, commit, processor, cores } = machine;
  const foot = `${processor}, ${cores} cores; commit ${commit}, ${date.slice(0, 10)}`;
  return chartSvg({ title, foot, panels });
}

function seriesOf(
  cells: readonly CellRounds[],
  figure: Figure,
  line: Series["line"],
): readonly Series[] {
  const doors = [...new Set(cells.map(({ cell }) => cell.driver))];
  return doors.flatMap((door, color) => {
    const points = cells.flatMap(({ cell, rounds }) => {
      const y = medianOf(rounds, figure);
      if (cell.driver !== door || y === null || y <= 0) return [];
      const { pressure } = cell;
      return [{ x: pressure.kind === "closed" ? pressure.inFlight : pressure.rate, y }];
    });
    return points.length === 0 ? [] : [{ name: door, color, line, points }];
  });
}
