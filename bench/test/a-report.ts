import type { DriverName } from "../src/drivers/open-driver.ts";
import { driverTargets } from "../src/drivers/open-driver.ts";
import {
  histogramText,
  mergeHistograms,
  newHistogram,
  percentilesOf,
  recordMs,
} from "../src/generator/histogram.ts";
import type { Measurement } from "../src/measure/measurement.ts";
import { type Report, reportVersion } from "../src/report/report.ts";

/** A round in which every operation took `ms`, and cost the servers `cpuMicros`. */
export function round(
  driver: DriverName,
  inFlight: number,
  ms: number,
  cpuMicros: number,
  change: Partial<Measurement> = {},
): Measurement {
  const histogram = newHistogram();
  for (let turn = 0; turn < 1000; turn += 1) recordMs(histogram, ms);
  const text = histogramText(histogram);
  return {
    cell: {
      driver,
      workload: "write-only",
      distribution: "uniform",
      valueBytes: 1024,
      pressure: { kind: "closed", inFlight },
    },
    target: driverTargets[driver],
    round: 1,
    seconds: 2,
    operations: 1000,
    operationsPerSecond: 500,
    operationsPerSecondPeak: 600,
    latencyMs: percentilesOf(mergeHistograms([text])),
    latenessMsP99: null,
    errors: {},
    serverCpuMicros: cpuMicros,
    operationsPerServerCpuSecond: 1e6 / cpuMicros,
    generatorCpuMicros: 10,
    generatorBusy: 0.5,
    isGeneratorLimited: false,
    operationsPerPeerMessage: null,
    fsyncsPerOperation: 0.25,
    wireBytesPerOperation: 1234,
    peerBytesPerOperation: null,
    diskBytesPerOperation: 5678,
    writeAmplification: 5,
    residentBytesMean: 2 ** 20,
    residentBytesPeak: 2 ** 21,
    eventLoopDelayMsP99: null,
    gcShare: 0.015,
    contextReads: 0,
    histogram: text,
    ...change,
  };
}

/** A report of these rounds. */
export function reportOf(measurements: readonly Measurement[]): Report {
  return {
    version: reportVersion,
    command: "coterie bench",
    machine: {
      date: "2026-11-21T09:00:00.000Z",
      commit: "abcdef0",
      node: "v20.20.2",
      kernel: "6.1",
      processor: "a processor",
      cores: 2,
      memoryBytes: 2 ** 33,
      filesystem: "ext4",
    },
    pinning: null,
    limits: {
      fdatasyncPerSecond: 1000,
      sharedFdatasyncPerSecond: 400,
      bareQuorumPerSecond: 250,
      echoPerSecond1: 60_000,
      echoPerSecond64: 70_000,
    },
    ceilings: [{ driver: "http", valueBytes: 1024, inFlight: 64, operationsPerSecond: 90_000 }],
    targets: [{ name: "coterie", description: "three nodes", idleBytes: [2 ** 26] }],
    restart: { keys: 100_000, ms: 800 },
    measurements,
  };
}
