import { type Cell, byteName, pressureName } from "../measure/measurement.ts";
import { alignedText } from "./aligned-text.ts";
import { type CellRounds, type Figure, medianOf } from "./summary.ts";

const perCpuSecond: Figure = ({ operationsPerServerCpuSecond }) => operationsPerServerCpuSecond;
const perSecond: Figure = ({ operationsPerSecond }) => operationsPerSecond;

/**
 * Keys asked for unevenly beside keys asked for alike: for every load, how many times as much was
 * done. Empty unless the run has both.
 */
export function skewText(cells: readonly CellRounds[]): string {
  const even = new Map<string, CellRounds>();
  for (const each of cells) {
    if (each.cell.distribution === "uniform") even.set(loadName(each.cell), each);
  }
  const rows = cells.flatMap(({ cell, rounds }) => {
    const reference = even.get(loadName(cell));
    if (reference === undefined || cell.distribution === "uniform") return [];
    const ratio = (figure: Figure): string => {
      const [ours, theirs] = [medianOf(rounds, figure), medianOf(reference.rounds, figure)];
      return ours === null || theirs === null ? "-" : (ours / theirs).toFixed(2);
    };
    return [[loadName(cell), cell.distribution, ratio(perSecond), ratio(perCpuSecond)]];
  });
  if (rows.length === 0) return "";
  return alignedText([["load", "keys", "ops/s, x uniform", "ops/CPU-s, x uniform"], ...rows]);
}

function loadName({ driver, workload, valueBytes, pressure }: Cell): string {
  return `${driver} ${workload} ${byteName(valueBytes)} B, ${pressureName(pressure)}`;
}
