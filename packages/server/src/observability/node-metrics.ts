import type { NodeApi, NodeStatistics } from "@coterie/cluster";
import type { StoreStatistics } from "@coterie/storage";
import { Counter, Gauge, Registry } from "prom-client";
import { EventLoopDelay } from "./event-loop-delay.ts";
import { RequestTimes } from "./request-times.ts";

/** What the peer adapter counts, all peers together. */
export interface PeerCounts {
  readonly messagesSent: number;
  readonly messagesReceived: number;
  readonly operationsSent: number;
  readonly operationsReceived: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly reconnects: number;
  readonly pending: number;
  readonly refusals: number;
  readonly malformed: number;
  readonly expired: number;
}

type Source = { readonly [name: string]: number | boolean };

interface Reading {
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge";
  readonly read: () => number;
}

/** All metrics of one node (docs/operations/metrics.md), in a registry of its own. */
export class NodeMetrics {
  readonly registry: Registry = new Registry();
  readonly #requests = new RequestTimes();
  readonly #eventLoop = new EventLoopDelay();

  constructor(node: NodeApi, peers: () => PeerCounts) {
    const { registry } = this;
    this.#requests.register(registry);
    const readings = [
      ...nodeReadings(() => node.statistics()),
      ...storeReadings(() => node.statistics().store),
      ...peerReadings(peers),
      ...this.#processReadings(),
    ];
    for (const reading of readings) register(registry, reading);
  }

  /** Counts one request of a door. */
  observe(request: {
    readonly operation: string;
    readonly status: number;
    readonly ms: number;
  }): void {
    this.#requests.observe(request.operation, request.status, request.ms);
  }

  async render(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.registry.contentType, text: await this.registry.metrics() };
  }

  stop(): void {
    this.#eventLoop.stop();
  }

  #processReadings(): readonly Reading[] {
    // Registered in this order, and read in it: one reading serves both.
    let delay = { p99: 0, max: 0 };
    return [
      gauge("event_loop_delay_p99_seconds", "How late the event loop was, 99th percentile.", () => {
        delay = this.#eventLoop.read();
        return delay.p99;
      }),
      gauge(
        "event_loop_delay_max_seconds",
        "How late the event loop was at most.",
        () => delay.max,
      ),
      counter("process_cpu_seconds_total", "CPU time of the process, user and system.", () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1e6;
      }),
      gauge("process_resident_bytes", "Resident memory of the process.", () =>
        process.memoryUsage.rss(),
      ),
    ];
  }
}

/** prom-client collects at the scrape: nothing is counted twice on the way. */
function register(registry: Registry, { name, help, kind, read }: Reading): void {
  const common = { name: `coterie_${name}`, help, registers: [] };
  const metric =
    kind === "gauge"
      ? new Gauge({
          ...common,
          collect() {
            this.set(read());
          },
        })
      : new Counter({
          ...common,
          collect() {
            this.reset();
            this.inc(read());
          },
        });
  registry.registerMetric(metric);
}

function counter(name: string, help: string, read: () => number): Reading {
  return { name, help, kind: "counter", read };
}

function gauge(name: string, help: string, read: () => number): Reading {
  return { name, help, kind: "gauge", read };
}

function nodeReadings(statistics: () => NodeStatistics): readonly Reading[] {
  return [
    gauge(
      "requests_in_flight",
      "Client requests that have no answer yet.",
      () => statistics().inFlight,
    ),
    gauge("requests_in_flight_bytes", "Bytes of their values.", () => statistics().inFlightBytes),
    counter("puts_total", "Puts taken from clients.", () => statistics().puts),
    counter("gets_total", "Gets taken from clients.", () => statistics().gets),
    counter("deletes_total", "Deletes taken from clients.", () => statistics().deletes),
    counter("forwards_total", "Writes passed on to a primary.", () => statistics().forwards),
    counter(
      "quorum_failures_total",
      "Requests that too few replicas answered.",
      () => statistics().quorumFailures,
    ),
    counter("timeouts_total", "Requests that ran out of time.", () => statistics().timeouts),
    counter(
      "overloads_total",
      "Requests refused because of a limit.",
      () => statistics().overloads,
    ),
    counter(
      "read_repairs_total",
      "Records written to a replica that a read found behind.",
      () => statistics().readRepairs,
    ),
    counter(
      "sibling_reads_total",
      "Gets that met more than one sibling.",
      () => statistics().siblingsReturned,
    ),
    counter(
      "sibling_warnings_total",
      "Gets of a key over a warning limit.",
      () => statistics().siblingWarnings,
    ),
    gauge("siblings_max", "The most siblings a get has met.", () => statistics().siblingsMax),
    counter(
      "peer_requests_served_total",
      "Requests of other nodes.",
      () => statistics().peerRequestsServed,
    ),
    counter(
      "stale_epochs_total",
      "Requests of other nodes under another document.",
      () => statistics().staleEpochs,
    ),
  ];
}

function storeReadings(statistics: () => StoreStatistics | undefined): readonly Reading[] {
  const of =
    (name: keyof StoreStatistics, scale: number = 1) =>
    (): number =>
      Number((statistics() as Source | undefined)?.[name] ?? 0) * scale;
  return [
    gauge("store_keys", "Keys in the index, tombstones included.", of("keys")),
    gauge("store_index_bytes", "Memory of the index.", of("indexBytes")),
    gauge("store_segments", "Segments of the log.", of("segments")),
    gauge("store_live_bytes", "Bytes of the log that the index points to.", of("bytesLive")),
    gauge("store_dead_bytes", "Bytes of the log that compaction may free.", of("bytesDead")),
    gauge("store_disk_bytes", "Bytes of the log.", of("bytesOnDisk")),
    counter("store_appended_bytes_total", "Bytes appended to the log.", of("bytesAppended")),
    counter("store_appended_records_total", "Records appended.", of("recordsAppended")),
    counter("store_groups_total", "Groups committed.", of("groups")),
    counter("store_fsyncs_total", "Syncs of the log.", of("fsyncs")),
    counter("store_fsync_seconds_total", "Time spent syncing.", of("fsyncMsTotal", 0.001)),
    gauge("store_fsync_max_seconds", "The longest sync.", of("fsyncMsMax", 0.001)),
    gauge("store_queue_bytes", "Bytes of updates that wait.", of("queueBytes")),
    gauge("store_queue_operations", "Updates that wait.", of("queueOperations")),
    counter("store_disk_reads_total", "Records read from the disk.", of("readsFromDisk")),
    counter("store_cache_reads_total", "Records found in memory.", of("readsFromCache")),
    counter("store_compactions_total", "Compactions.", of("compactions")),
    counter("store_compacted_bytes_total", "Bytes that compaction copied.", of("bytesCompacted")),
    counter("store_checkpoints_total", "Checkpoints of the index.", of("checkpoints")),
    counter("store_scrubbed_bytes_total", "Bytes that the scrub read.", of("scrubbedBytes")),
    counter("store_damaged_records_total", "Records found damaged.", of("damagedRecords")),
    gauge("store_disk_full", "1 while the disk is full.", of("isDiskFull")),
  ];
}

function peerReadings(counts: () => PeerCounts): readonly Reading[] {
  return [
    counter("peer_messages_sent_total", "Messages to other nodes.", () => counts().messagesSent),
    counter(
      "peer_messages_received_total",
      "Messages from other nodes.",
      () => counts().messagesReceived,
    ),
    counter("peer_operations_sent_total", "Requests in them.", () => counts().operationsSent),
    counter(
      "peer_operations_received_total",
      "Requests received in them.",
      () => counts().operationsReceived,
    ),
    counter("peer_sent_bytes_total", "Bytes of messages sent.", () => counts().bytesSent),
    counter(
      "peer_received_bytes_total",
      "Bytes of messages received.",
      () => counts().bytesReceived,
    ),
    counter("peer_reconnects_total", "Streams opened again.", () => counts().reconnects),
    gauge("peer_pending", "Requests to other nodes without an answer.", () => counts().pending),
    counter("peer_refusals_total", "Requests refused: no stream, or over its budget.", () => {
      return counts().refusals;
    }),
    counter(
      "peer_malformed_total",
      "Messages that could not be decoded.",
      () => counts().malformed,
    ),
    counter("peer_expired_total", "Requests that came too late to be carried out.", () => {
      return counts().expired;
    }),
  ];
}
