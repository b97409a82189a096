/** What a client has done since it was made. */
export interface ClientStatistics {
  /** Operations begun; a page of a scan is one. */
  readonly calls: number;
  readonly succeeded: number;
  /** Failed, aborted ones included. */
  readonly failed: number;
  /** Requests sent to nodes, repeated ones included. */
  readonly attempts: number;
  /** Repeated because of a failure or of silence; paid from the retry budget. */
  readonly retries: number;
  /** Sent again because a connection broke, at most once per operation; not paid. */
  readonly failovers: number;
  /** Times that a retry was put off, or not made, because there was no budget. */
  readonly retriesDenied: number;
  /** Reads also sent to a second node because the first was slow. */
  readonly hedges: number;
  /** Of those, answered by the second one. */
  readonly hedgesWon: number;
  readonly hedgesDenied: number;
  readonly connectionsOpened: number;
  readonly connectionsBroken: number;
  /** Operations that wait for an answer now. */
  readonly pending: number;
}

/** The counters behind it. */
export type ClientCounters = {
  -readonly [Name in Exclude<keyof ClientStatistics, "pending">]: number;
};

export function newClientCounters(): ClientCounters {
  return {
    calls: 0,
    succeeded: 0,
    failed: 0,
    attempts: 0,
    retries: 0,
    failovers: 0,
    retriesDenied: 0,
    hedges: 0,
    hedgesWon: 0,
    hedgesDenied: 0,
    connectionsOpened: 0,
    connectionsBroken: 0,
  };
}
