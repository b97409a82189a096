import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Coterie } from "@coterie/client";
import { RealCluster } from "@coterie/e2e";
import { fill } from "../anti-entropy/fill.ts";
import { Generators } from "../generator/generators.ts";
import { mergeHistograms, percentilesOf } from "../generator/histogram.ts";
import { CpuMeter } from "../measure/cpu-meter.ts";
import { deviceBytesWritten, residentBytes } from "../measure/process-usage.ts";
import { ResidentSampler } from "../measure/resident-sampler.ts";
import { type Metrics, growth, readMetrics } from "../measure/server-metrics.ts";
import { coterieDoors } from "../targets/coterie-doors.ts";
import { KeySpace } from "../workload/key-space.ts";
import { diskBytes } from "./directory-size.ts";

export interface ManyKeysInput {
  readonly directory: string;
  readonly keys: number;
  readonly valueBytes: number;
  readonly partitions: number;
  /** Of the load of reads and updates. */
  readonly seconds: number;
  readonly say: (line: string) => void;
}

/** A start of the node's process on all keys. */
export interface Start {
  readonly after: "stop" | "kill";
  /** From the order until the process serves. */
  readonly readyMs: number;
  /** When it has served nobody for a while, and at most until then. */
  readonly residentBytes: number;
  readonly residentBytesMost: number;
}

/** What bytes went to the disk, by those that clients wrote: keys and values. */
export interface Written {
  readonly logical: number;
  readonly appended: number;
  readonly compacted: number;
  /** Whatever it was, and whoever wrote it meanwhile. */
  readonly device: number | undefined;
}

export interface ManyKeys {
  readonly keys: number;
  readonly fillSeconds: number;
  readonly filled: Pick<Written, "logical" | "device">;
  /** Of the node's directory when all keys were in it. */
  readonly diskBytes: number;
  readonly indexBytes: number;
  readonly starts: readonly Start[];
  readonly load: {
    readonly operations: number;
    readonly seconds: number;
    readonly failed: number;
    readonly p99Ms: number;
    readonly cpuMicros: number;
    readonly checkpoints: number;
    readonly written: Written;
    readonly residentBytesMost: number;
  };
}

const node = "n1";
const prefix = "many-";
const inFlight = 64;
const restMs = 8000;
const samples = 500;

/** Fills the directory of one node with keys, and starts its process on them. */
export async function manyKeys(input: ManyKeysInput): Promise<ManyKeys> {
  const { directory, partitions, keys, valueBytes, say } = input;
  const config = join(directory, "settings.json");
  writeFileSync(config, JSON.stringify({ partitions }));
  const shape = ["--nodes", "1", "--n", "1", "--config", config];
  const first = await RealCluster.start({ parent: directory, arguments: shape });
  await first.stop({ keepData: true });
  const data = join(first.directory, node);
  say(`writing ${keys} keys`);
  const before = deviceBytesWritten(directory);
  const started = performance.now();
  const names = new KeySpace(prefix, keys);
  await fill(data, { partitions, valueBytes, copies: 1 }, keys, (number) => names.key(number));
  const fillSeconds = (performance.now() - started) / 1000;
  const after = deviceBytesWritten(directory);
  const fillDevice = before === undefined || after === undefined ? undefined : after - before;
  const bytesAfterFill = diskBytes(data);
  say(`starting on them, ${fillSeconds.toFixed(0)} s later`);
  const from = performance.now();
  const again = { directory: first.directory, arguments: ["--config", config] };
  const cluster = await RealCluster.start(again);
  try {
    const stopped = await restOf(cluster, "stop", performance.now() - from);
    say(lineOf(stopped));
    const metrics = await readMetrics(cluster.doors);
    if (metrics.sums.get("coterie_store_keys") !== keys) throw new Error("keys are missing");
    await requireReadable(cluster, names, keys);
    const load = await loaded(cluster, input);
    const { killed } = await killedAndBack(cluster);
    say(lineOf(killed));
    return {
      keys,
      fillSeconds,
      filled: { logical: keys * (names.key(0).length + valueBytes), device: fillDevice },
      diskBytes: bytesAfterFill,
      indexBytes: metrics.sums.get("coterie_store_index_bytes") ?? Number.NaN,
      starts: [stopped, killed],
      load,
    };
  } finally {
    await cluster.stop();
  }
}

async function killedAndBack(cluster: RealCluster): Promise<{ readonly killed: Start }> {
  await cluster.kill(node);
  const from = performance.now();
  await cluster.revive(node);
  return { killed: await restOf(cluster, "kill", performance.now() - from) };
}

async function restOf(
  cluster: RealCluster,
  after: Start["after"],
  readyMs: number,
): Promise<Start> {
  await sleep(restMs);
  const pid = cluster.pidOf(node);
  const most = /^VmHWM:\s+(\d+) kB/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return {
    after,
    readyMs,
    residentBytes: residentBytes(pid),
    residentBytesMost: Number(most?.[1] ?? 0) * 1024,
  };
}

/** Some of the keys, far from each other, are there as they were written. */
async function requireReadable(cluster: RealCluster, names: KeySpace, keys: number): Promise<void> {
  const coterie = new Coterie({ nodes: cluster.endpoints.map(({ grpc }) => grpc) });
  try {
    for (let sample = 0; sample < samples; sample += 1) {
      const key = names.key(Math.floor((sample * keys) / samples));
      const { kind } = await coterie.get(key);
      if (kind !== "value") throw new Error(`${key} is ${kind}`);
    }
  } finally {
    await coterie.close({ drain: false });
  }
}

/** Half reads, half updates of all keys alike, as fast as the node does them. */
async function loaded(cluster: RealCluster, input: ManyKeysInput): Promise<ManyKeys["load"]> {
  const { directory, keys, valueBytes, seconds, say } = input;
  const generators = Generators.start(await coterieDoors(cluster.doors), 1);
  const sampler = new ResidentSampler(cluster.pids);
  try {
    await generators.connect("pipe", inFlight);
    await generators.use({ prefix, records: keys, valueBytes });
    const cpu = new CpuMeter(() => cluster.pids);
    const metrics = await readMetrics(cluster.doors);
    const device = deviceBytesWritten(directory);
    const result = await generators.run({
      workload: "a",
      distribution: "uniform",
      pressure: { kind: "closed", inFlight },
      seconds,
      operationsMax: undefined,
      seed: 1,
    });
    const cpuMicros = cpu.take() / result.operations;
    const after = await readMetrics(cluster.doors);
    const deviceAfter = deviceBytesWritten(directory);
    const written = writtenBetween(metrics, after, result.writtenBytes);
    const { p99 } = percentilesOf(mergeHistograms([result.histogram]));
    say(`${(result.operations / result.seconds).toFixed(0)} operations/s`);
    return {
      operations: result.operations,
      seconds: result.seconds,
      failed: Object.values(result.errors).reduce((sum, count) => sum + count, 0),
      p99Ms: p99,
      cpuMicros,
      checkpoints: growth(metrics, after, "coterie_store_checkpoints_total") ?? 0,
      written: {
        ...written,
        device:
          device === undefined || deviceAfter === undefined ? undefined : deviceAfter - device,
      },
      residentBytesMost: sampler.stop()?.peak ?? 0,
    };
  } finally {
    sampler.stop();
    await generators.stop();
  }
}

function writtenBetween(before: Metrics, after: Metrics, logical: number): Omit<Written, "device"> {
  return {
    logical,
    appended: growth(before, after, "coterie_store_appended_bytes_total") ?? Number.NaN,
    compacted: growth(before, after, "coterie_store_compacted_bytes_total") ?? Number.NaN,
  };
}

function lineOf({ after, readyMs, residentBytes: now, residentBytesMost }: Start): string {
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  return (
    `ready ${(readyMs / 1000).toFixed(1)} s after a ${after}; ${mib(now)} MiB, ` +
    `${mib(residentBytesMost)} at most`
  );
}
