/** What the gRPC door counts, of its Pipes but for what is unread; for metrics. */
export interface GrpcStatistics {
  /** Open now. */
  pipes: number;
  /** Messages from clients, and the requests in them. */
  messages: number;
  requests: number;
  /** Messages to clients, and the replies in them. */
  replyMessages: number;
  replies: number;
  /** Bytes of those messages. */
  bytesReceived: number;
  bytesSent: number;
  /** Bytes of replies that clients have not taken, in Pipes and of unary calls. */
  bytesUnread: number;
  /** Bytes of messages that have not come whole, beyond a few of each connection. */
  bytesBegun: number;
  /** Messages and requests that could not be decoded. */
  malformed: number;
  /** Requests that their client took back. */
  cancelled: number;
}

export function newGrpcStatistics(): GrpcStatistics {
  return {
    pipes: 0,
    messages: 0,
    requests: 0,
    replyMessages: 0,
    replies: 0,
    bytesReceived: 0,
    bytesSent: 0,
    bytesUnread: 0,
    bytesBegun: 0,
    malformed: 0,
    cancelled: 0,
  };
}
