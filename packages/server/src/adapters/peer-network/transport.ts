import type { PeerAddress } from "@coterie/core";
import type { Clock } from "@coterie/ports";
import type { PeerOptions } from "./peer-options.ts";

/**
 * What carries the streams between nodes. All speak the same gRPC (docs/internals/wire-format.md),
 * so that nodes with different ones understand each other.
 */
export interface PeerTransport {
  /** Begins to open a stream to a peer. */
  connect(input: PeerStreamInput): PeerStream;
  /** Makes what takes the streams of peers, once it listens. */
  serve(input: PeerListenerInput): PeerListener;
}

export interface PeerStreamInput {
  readonly address: PeerAddress;
  readonly clock: Clock;
  readonly options: PeerOptions;
  /** What opens the stream: a message that the peer answers at once. */
  readonly hello: Uint8Array;
  /** The peer reads the stream: it answered the hello, and that answer was not found wanting. */
  readonly onOpen: () => void;
  readonly onMessage: (message: Uint8Array) => void;
  /** The stream is gone, for whatever reason but {@link PeerStream.end}. Called at most once. */
  readonly onBroken: (reason: string) => void;
}

/**
 * One connection with one stream on it, from the attempt to open it to its end. It is never
 * reopened: whoever wants another makes a new one. A peer that accepts connections but reads
 * nothing, such as a stopped process, does not answer the hello; such a stream never opens, and
 * nothing else was written to it.
 */
export interface PeerStream {
  /** Hands a message to the transport; `sent` is called when it left for the socket. */
  write(message: Uint8Array, sent: () => void): void;
  /** Ends the stream in order. Nothing is reported any more. */
  end(): void;
  /** Cuts the stream. Nothing is reported any more. */
  destroy(): void;
}

export interface PeerListenerInput {
  readonly clock: Clock;
  readonly options: PeerOptions;
  /** A peer opened a stream. */
  readonly onCall: (call: ServedCall) => ServedCallEvents;
}

/** What became of listening: the port, which the system chose if it was asked for 0. */
export type ListenOutcome =
  | { readonly ok: true; readonly port: number; readonly isWindowRaised: boolean }
  | { readonly ok: false; readonly message: string };

export interface PeerListener {
  /** Listens; port 0 lets the system choose. */
  listen(host: string, port: number): Promise<ListenOutcome>;
  /** Cuts every stream and stops listening: what was asked and is not answered never will be. */
  close(): Promise<void>;
}

/** A peer's stream at the end that answers. */
export interface ServedCall {
  /** Hands a message to the transport; `sent` is called when it left for the socket. */
  write(message: Uint8Array, sent: () => void): void;
  /** Reads nothing more from the peer, until {@link ServedCall.resume}. */
  pause(): void;
  resume(): void;
  /** Ends the stream in order, after what was written. */
  end(): void;
  /** Ends the stream with an error. */
  fail(code: "aborted" | "malformed" | "unsupported", details: string): void;
}

export interface ServedCallEvents {
  message(bytes: Uint8Array): void;
  /** The peer writes nothing more. */
  ended(): void;
  /** The stream is gone. May be called more than once. */
  over(): void;
}
