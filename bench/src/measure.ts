import { cpuMicros, ownCpuMicros } from "./process-usage.ts";
import type { LoadResult } from "./http-load.ts";
import { growth, readMetrics } from "./server-metrics.ts";
import type { RealCluster } from "@coterie/e2e";

/** One line of the report. */
export interface Measurement {
  readonly name: string;
  readonly inFlight: number;
  readonly operationsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** utime + stime of all server processes with all their threads, per operation. */
  readonly serverCpuMicros: number;
  /** The load generator's own, per operation. */
  readonly clientCpuMicros: number;
  readonly fsyncs: number;
  /** 0 where no peer message was sent. */
  readonly operationsPerPeerMessage: number;
  readonly failures: number;
}

/** Runs `load` against the cluster and measures what it cost the servers. */
export async function measure(
  cluster: RealCluster,
  name: string,
  inFlight: number,
  load: () => Promise<LoadResult>,
): Promise<Measurement> {
  const metricsBefore = await readMetrics(cluster.doors);
  const cpuBefore = cluster.pids.map(cpuMicros);
  const ownBefore = ownCpuMicros();
  const result = await load();
  const own = ownCpuMicros() - ownBefore;
  const cpu = cluster.pids.reduce(
    (sum, pid, at) => sum + cpuMicros(pid) - (cpuBefore[at] as number),
    0,
  );
  const metricsAfter = await readMetrics(cluster.doors);
  const messages = growth(metricsBefore, metricsAfter, "coterie_peer_messages_sent_total");
  const operations = growth(metricsBefore, metricsAfter, "coterie_peer_operations_sent_total");
  const [p50Ms = Number.NaN, p99Ms = Number.NaN] = result.latencies.percentiles([0.5, 0.99]);
  return {
    name,
    inFlight,
    operationsPerSecond: result.operations / result.seconds,
    p50Ms,
    p99Ms,
    serverCpuMicros: cpu / result.operations,
    clientCpuMicros: own / result.operations,
    fsyncs: growth(metricsBefore, metricsAfter, "coterie_store_fsyncs_total"),
    operationsPerPeerMessage: messages === 0 ? 0 : operations / messages,
    failures: result.failures,
  };
}
