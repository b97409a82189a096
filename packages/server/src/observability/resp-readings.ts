import type { RespStatistics } from "../doors/resp/resp-statistics.ts";
import { type MetricReading, counter, labelled } from "./metric.ts";

/** What goes through the door for Redis clients, besides its commands. */
export function respReadings(statistics: () => Readonly<RespStatistics>): readonly MetricReading[] {
  const read =
    (name: keyof RespStatistics): (() => number) =>
    () =>
      statistics()[name];
  return [
    counter("resp_connections_total", "Connections of Redis clients.", read("connectionsReceived")),
    labelled(
      {
        name: "coterie_resp_closed_total",
        help: "Connections of Redis clients that the node closed, by reason.",
        type: "counter",
      },
      () => {
        const { connectionsRefused, protocolErrors, cut } = statistics();
        return [
          { labels: { reason: "too-many" }, value: connectionsRefused },
          { labels: { reason: "protocol-error" }, value: protocolErrors },
          { labels: { reason: "cut" }, value: cut },
        ];
      },
    ),
    counter("resp_received_bytes_total", "Bytes from Redis clients.", read("bytesReceived")),
    counter("resp_sent_bytes_total", "Bytes to Redis clients.", read("bytesSent")),
  ];
}
