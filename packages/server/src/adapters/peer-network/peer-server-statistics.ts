/** Of all streams from peers since the start, and gauges; read by metrics. */
export interface PeerServerStatistics {
  streams: number;
  messages: number;
  operations: number;
  bytesReceived: number;
  acks: number;
  answers: number;
  bytesSent: number;
  /** Requests that came after their deadline, and were not carried out. */
  expired: number;
  /** Messages, and requests in messages, that could not be decoded. */
  malformed: number;
  /** Streams destroyed because nothing had been heard for too long. */
  silent: number;
}

/** Nothing has happened yet. */
export function newPeerServerStatistics(): PeerServerStatistics {
  return {
    streams: 0,
    messages: 0,
    operations: 0,
    bytesReceived: 0,
    acks: 0,
    answers: 0,
    bytesSent: 0,
    expired: 0,
    malformed: 0,
    silent: 0,
  };
}
