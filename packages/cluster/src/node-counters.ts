/** What a node counts of its requests since it started; gauges where noted. */
export interface NodeCounters {
  /** Gauge: client requests that have not settled. */
  inFlight: number;
  /** Gauge: bytes of their values. */
  inFlightBytes: number;
  puts: number;
  gets: number;
  deletes: number;
  /** Requests passed on to a primary. */
  forwards: number;
  quorumFailures: number;
  timeouts: number;
  overloads: number;
  /** Records written to a replica because a read found it behind. */
  readRepairs: number;
  /** Reads that returned more than one sibling. */
  siblingsReturned: number;
  /** The most siblings any read met. */
  siblingsMax: number;
  /** Reads that met a key over one of the warning limits. */
  siblingWarnings: number;
  peerRequestsServed: number;
  staleEpochs: number;
}

export function newNodeCounters(): NodeCounters {
  return {
    inFlight: 0,
    inFlightBytes: 0,
    puts: 0,
    gets: 0,
    deletes: 0,
    forwards: 0,
    quorumFailures: 0,
    timeouts: 0,
    overloads: 0,
    readRepairs: 0,
    siblingsReturned: 0,
    siblingsMax: 0,
    siblingWarnings: 0,
    peerRequestsServed: 0,
    staleEpochs: 0,
  };
}
