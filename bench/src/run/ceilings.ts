import type { DriverName } from "../drivers/open-driver.ts";
import type { Cell, Measurement } from "../measure/measurement.ts";
import { nullProtocols, startNullTarget } from "../targets/null-target.ts";
import { Session, type SessionOptions } from "./session.ts";

/** What a generator reaches against a server that does nothing. */
export interface Ceiling {
  readonly driver: DriverName;
  readonly valueBytes: number;
  readonly inFlight: number;
  readonly operationsPerSecond: number;
}

/** From this share of its ceiling on, the generator may be what limits a run. */
const shareMax = 0.7;
const secondsMax = 1;

/** The ceiling for each protocol, value size and number in flight among `cells`. */
export async function measureCeilings(
  cells: readonly Cell[],
  options: SessionOptions,
): Promise<readonly Ceiling[]> {
  const ceilings = new Map<string, Ceiling>();
  for (const driver of nullProtocols) {
    const chosen = cells.filter((cell) => cell.driver === driver);
    for (const valueBytes of new Set(chosen.map((cell) => cell.valueBytes))) {
      const seconds = Math.min(secondsMax, options.seconds);
      const session = new Session(await startNullTarget(driver, valueBytes), {
        ...options,
        seconds,
        directory: undefined,
        records: 100,
        say: () => {},
      });
      try {
        for (const cell of chosen) {
          if (cell.valueBytes !== valueBytes || cell.pressure.kind === "open") continue;
          const { inFlight } = cell.pressure;
          const name = `${driver} ${valueBytes} ${inFlight}`;
          if (ceilings.has(name)) continue;
          const mixed: Cell = { ...cell, workload: "a", distribution: "uniform" };
          const { operationsPerSecond } = await session.measure(mixed, 1);
          ceilings.set(name, { driver, valueBytes, inFlight, operationsPerSecond });
        }
      } finally {
        await session.close();
      }
    }
  }
  return [...ceilings.values()];
}

/** Marks a measurement whose generator came near its ceiling. */
export function withCeiling(measurement: Measurement, ceilings: readonly Ceiling[]): Measurement {
  const { driver, valueBytes, pressure } = measurement.cell;
  if (pressure.kind === "open") return measurement;
  const ceiling = ceilings.find(
    (each) =>
      each.driver === driver &&
      each.valueBytes === valueBytes &&
      each.inFlight === pressure.inFlight,
  );
  if (ceiling === undefined) return measurement;
  const share = measurement.operationsPerSecond / ceiling.operationsPerSecond;
  return { ...measurement, isGeneratorLimited: measurement.isGeneratorLimited || share > shareMax };
}
