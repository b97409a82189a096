import type { Generators } from "../generator/generators.ts";
import { mergeHistograms, percentilesOf } from "../generator/histogram.ts";
import type { RunPlan, RunResult } from "../generator/plan.ts";
import type { Target } from "../targets/target.ts";
import type { Cell, Measurement } from "./measurement.ts";
import { cpuMicros, deviceBytesWritten, loopbackBytes } from "./process-usage.ts";
import { ResidentSampler } from "./resident-sampler.ts";
import { type Metrics, growth, readMetrics } from "./server-metrics.ts";

/** From this share of a core on, the generator may be what limits a run. */
const busyMax = 0.85;

export interface MeasureInput {
  readonly target: Target;
  readonly generators: Generators;
  readonly cell: Cell;
  readonly round: number;
  readonly plan: RunPlan;
  /** Where the servers keep their data; undefined if they run elsewhere. */
  readonly directory: string | undefined;
}

/** A measurement, and the generators' own result. */
export interface Measured {
  readonly measurement: Measurement;
  readonly result: RunResult;
}

interface Usage {
  readonly cpuMicros: number;
  readonly diskBytes: number | null;
  readonly loopbackBytes: number;
}

/** Runs a plan, and reads what it cost the servers just before and just after. */
export async function measureRun(input: MeasureInput): Promise<Measured> {
  const { target, generators, plan } = input;
  const metricsBefore = await readMetrics(target.metricsDoors);
  const sampler = new ResidentSampler(target.pids);
  const before = usageOf(input);
  const result = await generators.run(plan);
  const after = usageOf(input);
  const resident = sampler.stop();
  const metricsAfter = await readMetrics(target.metricsDoors);
  const used: Usage = {
    cpuMicros: after.cpuMicros - before.cpuMicros,
    diskBytes:
      after.diskBytes === null || before.diskBytes === null
        ? null
        : after.diskBytes - before.diskBytes,
    loopbackBytes: after.loopbackBytes - before.loopbackBytes,
  };
  const measurement: Measurement = {
    ...speedOf(input, result),
    ...costOf(target, result, used),
    ...metricsOf(result, metricsBefore, metricsAfter, used),
    residentBytesMean: resident?.mean ?? null,
    residentBytesPeak: resident?.peak ?? null,
  };
  return { measurement, result };
}

function usageOf({ target: { pids }, directory }: MeasureInput): Usage {
  return {
    cpuMicros: pids.reduce((sum, pid) => sum + cpuMicros(pid), 0),
    diskBytes: directory === undefined ? null : (deviceBytesWritten(directory) ?? null),
    loopbackBytes: loopbackBytes(),
  };
}

type Speed = Pick<
  Measurement,
  | "cell"
  | "target"
  | "round"
  | "seconds"
  | "operations"
  | "operationsPerSecond"
  | "operationsPerSecondPeak"
  | "latencyMs"
  | "latenessMsP99"
  | "errors"
  | "generatorCpuMicros"
  | "generatorBusy"
  | "isGeneratorLimited"
  | "contextReads"
  | "histogram"
>;

function speedOf({ target, cell, round, generators }: MeasureInput, result: RunResult): Speed {
  const { operations, seconds, cpuMicros: cpu, histogram, lateness } = result;
  const generatorBusy = cpu / (seconds * 1e6 * Math.max(1, generators.pids.length));
  return {
    cell,
    target: target.name,
    round,
    seconds,
    operations,
    operationsPerSecond: operations / seconds,
    operationsPerSecondPeak: peakOf(result),
    latencyMs: percentilesOf(mergeHistograms([histogram])),
    latenessMsP99: lateness === "" ? null : percentilesOf(mergeHistograms([lateness])).p99,
    errors: result.errors,
    generatorCpuMicros: cpu / operations,
    generatorBusy,
    isGeneratorLimited: generatorBusy > busyMax,
    contextReads: result.contextReads,
    histogram,
  };
}

type Cost = Pick<
  Measurement,
  | "serverCpuMicros"
  | "operationsPerServerCpuSecond"
  | "wireBytesPerOperation"
  | "diskBytesPerOperation"
  | "writeAmplification"
>;

function costOf({ pids }: Target, { operations, writtenBytes }: RunResult, used: Usage): Cost {
  if (pids.length === 0) {
    return {
      serverCpuMicros: null,
      operationsPerServerCpuSecond: null,
      wireBytesPerOperation: null,
      diskBytesPerOperation: null,
      writeAmplification: null,
    };
  }
  return {
    serverCpuMicros: used.cpuMicros / operations,
    operationsPerServerCpuSecond: used.cpuMicros === 0 ? null : (operations * 1e6) / used.cpuMicros,
    wireBytesPerOperation: used.loopbackBytes / operations,
    diskBytesPerOperation: used.diskBytes === null ? null : used.diskBytes / operations,
    writeAmplification:
      used.diskBytes === null || writtenBytes === 0 ? null : used.diskBytes / writtenBytes,
  };
}

type Told = Pick<
  Measurement,
  | "operationsPerPeerMessage"
  | "fsyncsPerOperation"
  | "peerBytesPerOperation"
  | "eventLoopDelayMsP99"
  | "gcShare"
>;

/** What only the servers know; what they do not tell is null. */
function metricsOf({ operations }: RunResult, before: Metrics, after: Metrics, used: Usage): Told {
  const messages = growth(before, after, "coterie_peer_messages_sent_total");
  const sent = growth(before, after, "coterie_peer_operations_sent_total");
  const fsyncs = growth(before, after, "coterie_store_fsyncs_total");
  const peerBytes = growth(before, after, "coterie_peer_sent_bytes_total");
  const gcSeconds = growth(before, after, "coterie_gc_pause_seconds_sum");
  const delay = after.largest.get("coterie_event_loop_delay_p99_seconds");
  return {
    operationsPerPeerMessage:
      messages === undefined || messages === 0 || !sent ? null : sent / messages,
    fsyncsPerOperation: fsyncs === undefined ? null : fsyncs / operations,
    peerBytesPerOperation: peerBytes === undefined ? null : peerBytes / operations,
    eventLoopDelayMsP99: delay === undefined ? null : delay * 1000,
    gcShare:
      gcSeconds === undefined || used.cpuMicros === 0 ? null : (gcSeconds * 1e6) / used.cpuMicros,
  };
}

/** The best second of a run; its mean if it was shorter than two. */
function peakOf({ tenths, operations, seconds }: RunResult): number {
  const mean = operations / seconds;
  if (seconds < 2) return mean;
  let peak = 0;
  for (let from = 0; from + 10 <= Math.min(tenths.length, Math.floor(seconds * 10)); from += 1) {
    peak = Math.max(
      peak,
      tenths.slice(from, from + 10).reduce((sum, count) => sum + count, 0),
    );
  }
  return Math.max(peak, mean);
}
