import { type NodeMetrics, quantile, since } from "./node-metrics.ts";
import type { Scraped } from "./scrape-cluster.ts";

/** How a node did between two readings of its metrics. */
export interface NodeRates {
  readonly getsPerSecond: number;
  readonly putsPerSecond: number;
  readonly deletesPerSecond: number;
  readonly failuresPerSecond: number;
  /** Milliseconds, of requests answered in between; `undefined` if there were none. */
  readonly getP50Ms: number | undefined;
  readonly getP99Ms: number | undefined;
  readonly putP50Ms: number | undefined;
  readonly putP99Ms: number | undefined;
  readonly fsyncsPerSecond: number;
  readonly fsyncP99Ms: number | undefined;
  /** Of one core. */
  readonly cpuShare: number;
  readonly inFlight: number;
  readonly queueBytes: number;
  /** Since the node's start. */
  readonly siblingsMax: number;
  readonly eventLoopP99Ms: number;
  readonly residentBytes: number;
}

/** Doors name their histograms after themselves. */
const requestTimes = /^coterie_[a-z]+_request_seconds$/u;
const fsyncTimes = /^coterie_store_fsync_seconds$/u;

export function nodeRates(before: Scraped, after: Scraped): NodeRates {
  const seconds = Math.max(0.001, (after.atMs - before.atMs) / 1000);
  const rate = (name: string): number => {
    const [was, is] = [before.metrics.sum(name), after.metrics.sum(name)];
    // A counter that went back is that of a new process.
    return (is >= was ? is - was : is) / seconds;
  };
  const now = (name: string): number => after.metrics.value(name) ?? 0;
  const timeMs = (operation: string, share: number): number | undefined =>
    quantileMs(before.metrics, after.metrics, requestTimes, { operation }, share);
  return {
    getsPerSecond: rate("coterie_gets_total"),
    putsPerSecond: rate("coterie_puts_total"),
    deletesPerSecond: rate("coterie_deletes_total"),
    failuresPerSecond: rate("coterie_failures_total"),
    getP50Ms: timeMs("get", 0.5),
    getP99Ms: timeMs("get", 0.99),
    putP50Ms: timeMs("put", 0.5),
    putP99Ms: timeMs("put", 0.99),
    fsyncsPerSecond: rate("coterie_store_fsyncs_total"),
    fsyncP99Ms: quantileMs(before.metrics, after.metrics, fsyncTimes, {}, 0.99),
    cpuShare: rate("coterie_process_cpu_seconds_total"),
    inFlight: now("coterie_requests_in_flight"),
    queueBytes: now("coterie_store_queue_bytes"),
    siblingsMax: now("coterie_siblings_max"),
    eventLoopP99Ms: now("coterie_event_loop_delay_p99_seconds") * 1000,
    residentBytes: now("coterie_process_resident_bytes"),
  };
}

function quantileMs(
  before: NodeMetrics,
  after: NodeMetrics,
  name: RegExp,
  labels: Readonly<Record<string, string>>,
  share: number,
): number | undefined {
  const seconds = quantile(since(before.buckets(name, labels), after.buckets(name, labels)), share);
  return seconds === undefined ? undefined : seconds * 1000;
}
