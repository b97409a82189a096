import { type MetricReading, counter, gauge } from "./metric.ts";

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

/** What goes between nodes. */
export function peerReadings(counts: () => PeerCounts): readonly MetricReading[] {
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
