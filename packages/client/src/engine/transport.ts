import type { ClusterDescription, DecodedPipeReply, KvRequest } from "@coterie/protocol";

/** What happens on a stream. Nothing is called within a call to the stream or the transport. */
export interface StreamEvents {
  /** The node reads the stream: it answered the greeting. */
  readonly onOpen: () => void;
  /** Without replies it is a sign of life. */
  readonly onReplies: (replies: readonly DecodedPipeReply[]) => void;
  /** The stream is gone, for whatever reason but `end` or `destroy`. At most once, and last. */
  readonly onBroken: (reason: string) => void;
}

/** One `Kv.Pipe` with one node, from the attempt to open it to its end. Never reopened. */
export interface PipeStream {
  /** Encodes a request at once; returns its encoded size. */
  add(id: number, request: KvRequest): number;
  /** Sends what was added as one message; without anything added, asks for a sign of life. */
  flush(): void;
  /** Sent, as far as we know, and not yet with the socket. */
  readonly bytesUnsent: number;
  /** Asks the node for the cluster's layout; settles once, unless the stream is gone first. */
  describe(settle: (layout: ClusterDescription | undefined) => void): void;
  end(): void;
  destroy(): void;
}

/** How a client reaches nodes: gRPC, or memory in tests. */
export interface Transport {
  /** Begins to open a stream to the node at `address`. */
  open(address: string, events: StreamEvents): PipeStream;
}
