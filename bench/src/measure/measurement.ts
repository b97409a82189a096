import type { DriverName, TargetName } from "../drivers/open-driver.ts";
import type { Percentiles } from "../generator/histogram.ts";
import type { Pressure } from "../generator/plan.ts";
import type { Distribution, WorkloadName } from "../workload/mix.ts";

/** What is measured: one workload over one protocol under one pressure. */
export interface Cell {
  readonly driver: DriverName;
  readonly workload: WorkloadName;
  readonly distribution: Distribution;
  readonly valueBytes: number;
  readonly pressure: Pressure;
}

/** One client that waits for each of its writes. */
export function isLoneWriter({ pressure, workload }: Cell): boolean {
  const isAlone = pressure.kind === "closed" && pressure.inFlight === 1;
  return isAlone && (workload === "insert" || workload === "write-only");
}

/** One run of a cell. Null: could not be known, as of servers on other machines. */
export interface Measurement {
  readonly cell: Cell;
  readonly target: TargetName;
  /** From 1. */
  readonly round: number;
  readonly seconds: number;
  readonly operations: number;
  readonly operationsPerSecond: number;
  /** The best second; the mean where a run was shorter. */
  readonly operationsPerSecondPeak: number;
  readonly latencyMs: Percentiles;
  /** How late an open loop's operations were begun; null for a closed loop. */
  readonly latenessMsP99: number | null;
  readonly errors: Readonly<Record<string, number>>;
  /** utime + stime of all server processes with all their threads, per operation. */
  readonly serverCpuMicros: number | null;
  readonly operationsPerServerCpuSecond: number | null;
  readonly generatorCpuMicros: number;
  /** Of one core per generator process, the share it was busy. */
  readonly generatorBusy: number;
  readonly isGeneratorLimited: boolean;
  readonly operationsPerPeerMessage: number | null;
  readonly fsyncsPerOperation: number | null;
  /** On the loopback device, whoever sent them. */
  readonly wireBytesPerOperation: number | null;
  /** Between nodes, as they say. */
  readonly peerBytesPerOperation: number | null;
  readonly diskBytesPerOperation: number | null;
  /** Bytes that went to disks, of all replicas, per byte of keys and values written. */
  readonly writeAmplification: number | null;
  readonly residentBytesMean: number | null;
  readonly residentBytesPeak: number | null;
  readonly eventLoopDelayMsP99: number | null;
  /** Of the servers' CPU time, the share spent collecting garbage. */
  readonly gcShare: number | null;
  /** Reads that updates needed first, because their keys held siblings. */
  readonly contextReads: number;
  /** All latencies in microseconds, a compressed HDR histogram in base64. */
  readonly histogram: string;
}

/** A cell's name, the same in every run. */
export function cellName({ driver, workload, distribution, valueBytes, pressure }: Cell): string {
  return `${driver} ${workload} ${distribution} ${byteName(valueBytes)} ${pressureName(pressure)}`;
}

/** As options write it: 100, 1k, 64k. */
export function byteName(bytes: number): string {
  return bytes >= 1024 && bytes % 1024 === 0 ? `${bytes / 1024}k` : String(bytes);
}

/** In flight, or per second. */
export function pressureName(pressure: Pressure): string {
  return pressure.kind === "closed" ? String(pressure.inFlight) : `${pressure.rate}/s`;
}
