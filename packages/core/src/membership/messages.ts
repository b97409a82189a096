import type { NodeId } from "../ids.ts";
import type { News } from "./news.ts";

/**
 * What members send each other. Each message is sent once and may be lost, delayed, repeated or
 * overtaken; none needs an answer for safety.
 */
export interface MembershipMessage {
  readonly from: NodeId;
  readonly to: NodeId;
  /** The sender's own: as good as the news that it is alive. */
  readonly incarnation: number;
  /** Epoch of the sender's cluster document. */
  readonly epoch: number;
  /** Piggybacked. */
  readonly news: readonly News[];
  readonly body: MessageBody;
}

export type MessageBody =
  /** Are you there? */
  | { readonly kind: "ping"; readonly sequence: number }
  /** I cannot reach `target`: ask it for me. */
  | { readonly kind: "ping-request"; readonly sequence: number; readonly target: NodeId }
  /** The answer to a ping, or what came of a ping request. */
  | { readonly kind: "ack"; readonly sequence: number }
  /** I did as you requested, and have no answer yet; so it is neither you who is slow, nor I. */
  | { readonly kind: "nack"; readonly sequence: number }
  /** Nothing but news. */
  | { readonly kind: "gossip" }
  /** What my table comes to. If yours differs, send it. */
  | { readonly kind: "compare"; readonly digest: number }
  /** A part of my table; if it is a question, send back what is newer with you. */
  | { readonly kind: "table"; readonly entries: readonly News[]; readonly isQuestion: boolean };
