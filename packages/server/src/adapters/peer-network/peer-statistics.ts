/** Of the streams to one peer since the start, and gauges; read by metrics. */
export interface PeerStatistics {
  messagesSent: number;
  operationsSent: number;
  bytesSent: number;
  messagesReceived: number;
  operationsAnswered: number;
  bytesReceived: number;
  /** Streams that opened, and of those the ones that replaced a broken one. */
  connects: number;
  reconnects: number;
  /** Attempts to open a stream that failed. */
  connectFailures: number;
  /** Calls refused because no stream was open, or because the peer's budget was spent. */
  refusedUnreachable: number;
  refusedOverBudget: number;
  timeouts: number;
  /** Answers to calls that no longer waited. */
  answersUnknown: number;
  /** Messages that could not be decoded. */
  malformed: number;
  /** Calls waiting for an answer, and their bytes. */
  pendingOperations: number;
  pendingBytes: number;
}

/** Nothing has happened yet. */
export function newPeerStatistics(): PeerStatistics {
  return {
    messagesSent: 0,
    operationsSent: 0,
    bytesSent: 0,
    messagesReceived: 0,
    operationsAnswered: 0,
    bytesReceived: 0,
    connects: 0,
    reconnects: 0,
    connectFailures: 0,
    refusedUnreachable: 0,
    refusedOverBudget: 0,
    timeouts: 0,
    answersUnknown: 0,
    malformed: 0,
    pendingOperations: 0,
    pendingBytes: 0,
  };
}

/** Adds up the statistics of several peers. */
export function sumPeerStatistics(all: Iterable<PeerStatistics>): PeerStatistics {
  const sum = newPeerStatistics();
  const names = Object.keys(sum) as (keyof PeerStatistics)[];
  for (const each of all) for (const name of names) sum[name] += each[name];
  return sum;
}
