import type { CircuitState, NodeId } from "@coterie/core";

/** One of the others, as this node's own calls to it find it. */
export interface PeerView {
  readonly id: NodeId;
  /** False while calls to it would be refused at once, whatever is known of the peer itself. */
  readonly isReachable: boolean;
  /** `open` or `half-open`: it is silent, and pinged until it answers. */
  readonly circuit: CircuitState;
}

/** Since the start, of all peers together. */
export interface CircuitCounts {
  /** Times that a peer was taken for silent. */
  readonly opened: number;
  /** Calls that were not sent because of that. */
  readonly refused: number;
  readonly pings: number;
}
