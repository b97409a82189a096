import type { GrpcStatistics } from "../doors/grpc/grpc-statistics.ts";
import { type MetricReading, counter, gauge } from "./metric.ts";

/** What goes through the Pipes of the gRPC door. */
export function grpcReadings(statistics: () => Readonly<GrpcStatistics>): readonly MetricReading[] {
  const read =
    (name: keyof GrpcStatistics): (() => number) =>
    () =>
      statistics()[name];
  return [
    gauge("grpc_pipes", "Pipes that clients have open.", read("pipes")),
    gauge(
      "grpc_begun_bytes",
      "Bytes of messages that have not come whole, beyond a few of each connection.",
      read("bytesBegun"),
    ),
    counter("grpc_pipe_messages_total", "Messages of Pipes.", read("messages")),
    counter("grpc_pipe_requests_total", "Requests in them.", read("requests")),
    counter("grpc_pipe_reply_messages_total", "Messages of replies.", read("replyMessages")),
    counter("grpc_pipe_replies_total", "Replies in them.", read("replies")),
    counter("grpc_pipe_received_bytes_total", "Bytes of the messages.", read("bytesReceived")),
    counter("grpc_pipe_sent_bytes_total", "Bytes of the replies.", read("bytesSent")),
    counter(
      "grpc_pipe_malformed_total",
      "Messages and requests that could not be decoded.",
      read("malformed"),
    ),
    counter(
      "grpc_pipe_cancelled_total",
      "Requests that their client took back.",
      read("cancelled"),
    ),
  ];
}
