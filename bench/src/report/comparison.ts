import { driverTargets } from "../drivers/open-driver.ts";
import { type Cell, byteName, pressureName } from "../measure/measurement.ts";
import { alignedText } from "./aligned-text.ts";
import { type CellRounds, type Figure, medianOf } from "./summary.ts";

const perCpuSecond: Figure = ({ operationsPerServerCpuSecond }) => operationsPerServerCpuSecond;
const perSecond: Figure = ({ operationsPerSecond }) => operationsPerSecond;
const p99: Figure = ({ latencyMs }) => latencyMs.p99;

/**
 * Stores beside each other: for every load, what each did per second of server CPU, and how many
 * times as much that is as Coterie's first door did. Empty unless there is another store.
 */
export function comparisonText(cells: readonly CellRounds[]): string {
  const hasOthers = cells.some(({ cell }) => driverTargets[cell.driver] !== "coterie");
  if (!hasOthers) return "";
  const loads = new Map<string, CellRounds[]>();
  for (const rounds of cells) {
    const name = loadName(rounds.cell);
    loads.set(name, [...(loads.get(name) ?? []), rounds]);
  }
  const rows = [...loads].flatMap(([name, group]) => {
    const ours = group.find(({ cell }) => driverTargets[cell.driver] === "coterie");
    return group.map(({ cell, rounds }) => [
      name,
      cell.driver,
      whole(medianOf(rounds, perCpuSecond)),
      ratio(medianOf(rounds, perCpuSecond), ours, perCpuSecond),
      whole(medianOf(rounds, perSecond)),
      ratio(medianOf(rounds, perSecond), ours, perSecond),
      (medianOf(rounds, p99) ?? 0).toFixed(2),
    ]);
  });
  const titles = ["load", "door", "ops/CPU-s", "× ours", "ops/s", "× ours", "p99 ms"];
  return alignedText([titles, ...rows]);
}

function loadName({ workload, distribution, valueBytes, pressure }: Cell): string {
  return `${workload} ${distribution} ${byteName(valueBytes)} B, ${pressureName(pressure)}`;
}

function ratio(value: number | null, ours: CellRounds | undefined, figure: Figure): string {
  const reference = ours === undefined ? null : medianOf(ours.rounds, figure);
  return value === null || reference === null ? "-" : (value / reference).toFixed(2);
}

function whole(value: number | null): string {
  return value === null ? "-" : Math.round(value).toLocaleString("en");
}
