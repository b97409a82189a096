import type { Addresses } from "../drivers/driver.ts";
import type { DriverName } from "../drivers/open-driver.ts";
import type { Distribution, WorkloadName } from "../workload/mix.ts";

/** Closed: so many calls under way at all times. Open: so many begun per second, come what may. */
export type Pressure =
  | { readonly kind: "closed"; readonly inFlight: number }
  | { readonly kind: "open"; readonly rate: number };

/** What a generator is told to do. */
export type Order =
  | { readonly order: "connect"; readonly driver: DriverName; readonly connections: number }
  | ({ readonly order: "use" } & KeysPlan)
  | { readonly order: "fill"; readonly from: number; readonly to: number }
  | ({ readonly order: "run" } & RunPlan);

/** Which keys and values the next runs use. */
export interface KeysPlan {
  readonly prefix: string;
  /** Keys that are there. */
  readonly records: number;
  readonly valueBytes: number;
}

export interface RunPlan {
  readonly workload: WorkloadName;
  readonly distribution: Distribution;
  readonly pressure: Pressure;
  readonly seconds: number;
  /** At most so many operations, if given; a run ends with whichever is first. */
  readonly operationsMax: number | undefined;
  readonly seed: number;
}

/** What a generator process is started with. */
export interface GeneratorInput {
  readonly addresses: Addresses;
  /** This one's number among `generators`. */
  readonly index: number;
  readonly generators: number;
}

/** What a generator has to say of a run; of several generators, merged. */
export interface RunResult {
  readonly operations: number;
  readonly seconds: number;
  /** Latencies in microseconds, compressed HDR histograms in base64. */
  readonly histogram: string;
  /** How late operations of an open loop were begun; empty for a closed one. */
  readonly lateness: string;
  readonly errors: Readonly<Record<string, number>>;
  /** Completed per tenth of a second. */
  readonly tenths: readonly number[];
  /** Calls that wrote, and bytes of their keys and values. */
  readonly writes: number;
  readonly writtenBytes: number;
  /** Reads that an update needed first, because its key held siblings. */
  readonly contextReads: number;
  readonly cpuMicros: number;
  /** Numbers of keys taken so far. */
  readonly taken: number;
}
