import type { Machine } from "../measure/machine.ts";
import type { Measurement } from "../measure/measurement.ts";
import type { Pinning } from "../measure/pinning.ts";
import type { Ceiling } from "../run/ceilings.ts";

/** The format of the JSON file; raised by changes that old readers would misread. */
export const reportVersion = 1;

/** What the machine can do, measured in the same run. */
export interface Limits {
  readonly fdatasyncPerSecond: number;
  /** Of each of three processes that sync at once, as the nodes on one machine do. */
  readonly sharedFdatasyncPerSecond: number;
  /** Puts of one client, by three processes with nothing in them but sockets and syncs. */
  readonly bareQuorumPerSecond: number | null;
  readonly echoPerSecond1: number;
  readonly echoPerSecond64: number;
}

/** One store that was measured. */
export interface TargetReport {
  readonly name: string;
  readonly description: string;
  /** Resident memory of each of its processes before any load. */
  readonly idleBytes: readonly number[];
}

/** The time of a start with data. */
export interface Restart {
  readonly keys: number;
  readonly ms: number;
}

/** All that a run of the bench found. */
export interface Report {
  readonly version: typeof reportVersion;
  readonly command: string;
  readonly machine: Machine;
  readonly pinning: Pinning | null;
  readonly limits: Limits | null;
  readonly ceilings: readonly Ceiling[];
  readonly targets: readonly TargetReport[];
  readonly restart: Restart | null;
  readonly measurements: readonly Measurement[];
}
