import { type Levels, levelsOfBuild } from "@coterie/core";

/** How streams between nodes behave. Both ends of a stream use the same keepalive. */
export interface PeerOptions {
  /** How often a stream says that it lives. Silent for twice as long, it is destroyed. */
  readonly keepaliveMs: number;
  /** How long the answer to a keepalive may take. */
  readonly keepaliveTimeoutMs: number;
  /** A stream without calls for this long is closed; the next call opens another. */
  readonly idleMs: number;
  /** How long a stream may take to open, and its peer to say that it reads it. */
  readonly connectMs: number;
  /** Pause before the first attempt to reopen a broken stream; doubled by each failure. */
  readonly backoffMsMin: number;
  readonly backoffMsMax: number;
  /** Calls to one peer without an answer; more are refused. */
  readonly operationsMax: number;
  /** Encoded bytes of those calls, and of what was not yet sent; more are refused. */
  readonly bytesMax: number;
  /** Of one message, either way; room for the largest record. */
  readonly messageBytesMax: number;
  /** Of an answer with records to a request that only reads; a larger one is refused. */
  readonly answerBytesMax: number | undefined;
  /** Connections at the listening end; more are closed. */
  readonly connectionsMax: number;
  /** Streams of one connection; a peer needs one, and for a moment perhaps a second. */
  readonly streamsMax: number;
  /** What this node speaks; a stream opens only where both ends have a level in common. */
  readonly levels: Levels;
  /** HTTP/2 receive window: bytes in flight, whatever the round trip takes. */
  readonly receiveWindowBytes: number;
}

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** What is used unless a test says otherwise. */
export const defaultPeerOptions: PeerOptions = {
  keepaliveMs: 5000,
  keepaliveTimeoutMs: 2000,
  idleMs: 60_000,
  connectMs: 1000,
  backoffMsMin: 100,
  backoffMsMax: 2000,
  operationsMax: 8192,
  bytesMax: 64 * mebibyte,
  // A record may have 32 MiB, and the message around it has a name, a stamp and lengths.
  messageBytesMax: 32 * mebibyte + 64 * kibibyte,
  answerBytesMax: undefined,
  connectionsMax: 10_000,
  streamsMax: 16,
  levels: levelsOfBuild,
  receiveWindowBytes: 8 * mebibyte,
};

/** A message is sent when it has this many operations, or bytes; or when the turn ends. */
export const messageOperationsMax = 256;
export const messageBytesFull: number = 64 * kibibyte;

/** The method both ends speak: `peer.proto` in the protocol package. */
export const replicatePath = "/coterie.peer.v1.Peer/Replicate";
