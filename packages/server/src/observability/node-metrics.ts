import type { NodeApi } from "@coterie/cluster";
import { Registry } from "prom-client";
import { circuitReadings } from "./circuit-readings.ts";
import { type DataPlace, dataReadings } from "./data-readings.ts";
import { EventLoopDelay } from "./event-loop-delay.ts";
import type { GrpcStatistics } from "../doors/grpc/grpc-statistics.ts";
import type { HttpStatistics } from "../doors/http/http-statistics.ts";
import type { ObservedCommand } from "../doors/resp/resp-service.ts";
import type { RespStatistics } from "../doors/resp/resp-statistics.ts";
import { GcPauses } from "./gc-pauses.ts";
import { grpcReadings } from "./grpc-readings.ts";
import { antiEntropyReadings } from "./anti-entropy-readings.ts";
import { hotReadings } from "./hot-readings.ts";
import { moveReadings } from "./move-readings.ts";
import { reapingReadings } from "./reaping-readings.ts";
import { handoffReadings } from "./handoff-readings.ts";
import { hintReadings } from "./hint-readings.ts";
import { membershipReadings } from "./membership-readings.ts";
import { type MetricReading, labelled, register } from "./metric.ts";
import { nodeReadings } from "./node-readings.ts";
import { type PeerCounts, peerReadings } from "./peer-readings.ts";
import { processReadings } from "./process-readings.ts";
import { RequestTimes } from "./request-times.ts";
import { respReadings } from "./resp-readings.ts";
import { storeReadings } from "./store-readings.ts";

/** What surrounds a node and is measured with it. */
export interface MeteredParts {
  readonly peers: () => PeerCounts;
  readonly http: HttpStatistics;
  readonly grpc: () => Readonly<GrpcStatistics>;
  readonly resp: () => Readonly<RespStatistics>;
  /** Open connections by door. */
  readonly connections: () => Readonly<Record<string, number>>;
  readonly data: DataPlace;
}

/** All metrics of one node (docs/operations/metrics.md), in a registry of its own. */
export class NodeMetrics {
  readonly registry: Registry = new Registry();
  readonly #http = new RequestTimes({
    door: "HTTP",
    requests: "coterie_http_requests_total",
    seconds: "coterie_http_request_seconds",
    label: "status",
  });
  readonly #grpc = new RequestTimes({
    door: "gRPC",
    requests: "coterie_grpc_requests_total",
    seconds: "coterie_grpc_request_seconds",
    label: "code",
  });
  readonly #resp = new RequestTimes({
    door: "RESP",
    requests: "coterie_resp_commands_total",
    seconds: "coterie_resp_command_seconds",
    label: "code",
  });
  readonly #eventLoop = new EventLoopDelay();
  readonly #gcPauses = new GcPauses();

  constructor(node: NodeApi, parts: MeteredParts) {
    const readings = [
      ...this.#http.readings(),
      ...this.#grpc.readings(),
      ...this.#resp.readings(),
      ...nodeReadings(node),
      ...hotReadings(node),
      ...membershipReadings(node),
      ...circuitReadings(node),
      ...storeReadings(() => node.statistics().store),
      ...handoffReadings(node),
      ...antiEntropyReadings(node),
      ...reapingReadings(node),
      ...moveReadings(node),
      ...hintReadings(() => node.statistics().hints),
      ...peerReadings(parts.peers),
      batchLinesReading(parts.http),
      ...grpcReadings(parts.grpc),
      ...respReadings(parts.resp),
      unreadReading(parts),
      connectionsReading(parts.connections),
      ...dataReadings(parts.data),
      ...processReadings(this.#eventLoop),
      this.#gcPauses.reading(),
    ];
    for (const reading of readings) register(this.registry, reading);
  }

  /** Counts one request of the HTTP door. */
  observe(request: {
    readonly operation: string;
    readonly status: number;
    readonly ms: number;
  }): void {
    this.#http.observe(request.operation, request.status, request.ms);
  }

  /** Counts one request of the gRPC door. */
  observeCall(call: {
    readonly operation: string;
    readonly code: string;
    readonly ms: number;
  }): void {
    this.#grpc.observe(call.operation, call.code, call.ms);
  }

  /** Counts one command of the RESP door. */
  observeCommand({ operation, code, ms }: ObservedCommand): void {
    this.#resp.observe(operation, code, ms);
  }

  async render(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.registry.contentType, text: await this.registry.metrics() };
  }

  stop(): void {
    this.#eventLoop.stop();
    this.#gcPauses.stop();
  }
}

function connectionsReading(count: MeteredParts["connections"]): MetricReading {
  return labelled(
    { name: "coterie_connections", help: "Open connections, by door.", type: "gauge" },
    () => Object.entries(count()).map(([door, value]) => ({ labels: { door }, value })),
  );
}

function batchLinesReading({ batchLines }: HttpStatistics): MetricReading {
  return labelled(
    {
      name: "coterie_http_batch_lines_total",
      help: "Lines of batches answered at the HTTP door, by status.",
      type: "counter",
    },
    () => [...batchLines].map(([status, value]) => ({ labels: { status }, value })),
  );
}

function unreadReading({ http, grpc, resp }: MeteredParts): MetricReading {
  return labelled(
    {
      name: "coterie_unread_bytes",
      help: "Bytes of answers that clients have not taken, by door.",
      type: "gauge",
    },
    () => [
      { labels: { door: "http" }, value: http.unread.bytes },
      { labels: { door: "grpc" }, value: grpc().bytesUnread },
      { labels: { door: "resp" }, value: resp().bytesUnread },
    ],
  );
}
