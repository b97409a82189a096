import { type DriverName, driverTargets } from "../drivers/open-driver.ts";
import type { Pressure } from "../generator/plan.ts";
import type { Cell } from "../measure/measurement.ts";
import { type Distribution, type WorkloadName, mixes } from "../workload/mix.ts";

/** Everything with everything else. */
export interface Grid {
  readonly drivers: readonly DriverName[];
  readonly workloads: readonly WorkloadName[];
  readonly inFlight: readonly number[];
  readonly valueBytes: readonly number[];
  /** Left out: those of the workloads. */
  readonly distributions?: readonly Distribution[];
}

/** A set of measurements by name. */
export type SuiteName = "default" | "compare" | "curves" | "hot-keys";

/** What each suite measures, unless options say otherwise. */
const suites: Readonly<Record<SuiteName, readonly Grid[]>> = {
  default: [
    {
      drivers: ["pipe", "http", "peer"],
      workloads: ["insert", "read-only"],
      inFlight: [1, 64],
      valueBytes: [100],
    },
    { drivers: ["pipe"], workloads: ["a", "f", "scan"], inFlight: [64], valueBytes: [100] },
  ],
  compare: [
    {
      drivers: ["pipe", "http", "redis", "etcd", "nats"],
      workloads: ["write-only", "read-only", "a"],
      inFlight: [1, 64],
      valueBytes: [100],
    },
  ],
  curves: [
    {
      drivers: ["pipe", "http"],
      workloads: ["write-only", "read-only", "a"],
      inFlight: [1, 16, 64, 256, 1024],
      valueBytes: [100],
    },
  ],
  "hot-keys": [
    {
      drivers: ["pipe", "pipe-lww"],
      workloads: ["read-only", "write-only"],
      inFlight: [64],
      valueBytes: [100],
      distributions: ["uniform", "zipfian", "single"],
    },
  ],
};

function usualOf({ distributions }: Grid, workload: WorkloadName): readonly Distribution[] {
  return distributions ?? [mixes[workload].distribution];
}

/** Protocols that cannot list keys page by page. */
const withoutScan: ReadonlySet<DriverName> = new Set(["peer", "nats"]);

/** What options ask for instead of what a suite says. */
export interface Wishes extends Partial<Omit<Grid, "distributions">> {
  readonly distributions?: readonly Distribution[] | undefined;
  /** Open loops of so many operations per second, instead of numbers in flight. */
  readonly rates?: readonly number[] | undefined;
}

/** The cells of a suite as options change it, without repetitions, one target after the other. */
export function cellsOf(suite: SuiteName, wishes: Wishes): readonly Cell[] {
  const { drivers, workloads, inFlight, valueBytes, distributions, rates } = wishes;
  const pressures = rates?.map((rate): Pressure => ({ kind: "open", rate }));
  const cells = new Map<string, Cell>();
  for (const grid of suites[suite]) {
    for (const driver of drivers ?? grid.drivers) {
      for (const size of valueBytes ?? grid.valueBytes) {
        for (const workload of workloads ?? grid.workloads) {
          if (workload === "scan" && withoutScan.has(driver)) continue;
          const closed = (inFlight ?? grid.inFlight).map((count): Pressure => ({
            kind: "closed",
            inFlight: count,
          }));
          for (const distribution of distributions ?? usualOf(grid, workload)) {
            for (const pressure of pressures ?? closed) {
              const cell: Cell = { driver, workload, distribution, valueBytes: size, pressure };
              cells.set(JSON.stringify(cell), cell);
            }
          }
        }
      }
    }
  }
  const targets = [...new Set([...cells.values()].map(({ driver }) => driverTargets[driver]))];
  return targets.flatMap((target) =>
    [...cells.values()].filter(({ driver }) => driverTargets[driver] === target),
  );
}
