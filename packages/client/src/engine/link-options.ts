/** How the connection to one node behaves. */
export interface LinkOptions {
  /** Operations that wait for an answer; more are refused. */
  readonly operationsMax: number;
  /** Encoded bytes of those, and of what was not yet sent; more are refused. */
  readonly bytesMax: number;
  /** A connection without operations for this long is closed; the next one opens another. */
  readonly idleMs: number;
  /** How often a connection in use is asked for a sign of life. */
  readonly probeMs: number;
  /** How often one that is not in use is. */
  readonly keepaliveMs: number;
  /**
   * One that leaves questions unanswered for several times what is usual with it is avoided while
   * there are others: after so long at least, and at most.
   */
  readonly suspectMsMin: number;
  readonly suspectMsMax: number;
  /** And for this long, it is cut. */
  readonly silenceMs: number;
  /** Pause before the first attempt to reopen a broken connection; doubled by each failure. */
  readonly backoffMsMin: number;
  readonly backoffMsMax: number;
}

const mebibyte = 1024 * 1024;

export const defaultLinkOptions: LinkOptions = {
  operationsMax: 8192,
  bytesMax: 64 * mebibyte,
  idleMs: 60_000,
  probeMs: 1000,
  keepaliveMs: 5000,
  suspectMsMin: 100,
  suspectMsMax: 500,
  silenceMs: 3000,
  backoffMsMin: 50,
  backoffMsMax: 2000,
};

/** A message is sent when it has this many requests, or bytes; or when the turn ends. */
export const messageRequestsFull = 256;
export const messageBytesFull: number = 64 * 1024;
/** So many share what a message costs: later requests of its turn go elsewhere. */
export const messageRequestsShared = 64;
