import { type Cell, type Measurement, cellName } from "../measure/measurement.ts";

/** What a summary is taken of: one number per round. */
export type Figure = (measurement: Measurement) => number | null;

/** All rounds of one cell. */
export interface CellRounds {
  readonly name: string;
  readonly cell: Cell;
  readonly rounds: readonly Measurement[];
}

/** The range of a figure over the rounds, and its median. */
export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

/** Brings the rounds of each cell together, in the order of the first. */
export function byCell(measurements: readonly Measurement[]): readonly CellRounds[] {
  const cells = new Map<string, Measurement[]>();
  for (const measurement of measurements) {
    const name = cellName(measurement.cell);
    const known = cells.get(name);
    if (known === undefined) cells.set(name, [measurement]);
    else known.push(measurement);
  }
  return [...cells].map(([name, rounds]) => ({
    name,
    cell: (rounds[0] as Measurement).cell,
    rounds,
  }));
}

/** Of the rounds in which the figure was known; undefined if in none. */
export function spreadOf(rounds: readonly Measurement[], figure: Figure): Spread | undefined {
  const values = rounds
    .map((round) => figure(round))
    .filter((value) => value !== null)
    .toSorted((left, right) => left - right);
  if (values.length === 0) return undefined;
  const middle = Math.floor(values.length / 2);
  const upper = values[middle] as number;
  const median = values.length % 2 === 1 ? upper : ((values[middle - 1] as number) + upper) / 2;
  return { least: values[0] as number, median, most: values.at(-1) as number };
}

/** The median of the rounds; null if the figure was known in none. */
export function medianOf(rounds: readonly Measurement[], figure: Figure): number | null {
  return spreadOf(rounds, figure)?.median ?? null;
}
