import type { NodeId } from "../ids.ts";
import type { GossipedState } from "./news.ts";
import type { MemberState } from "./member-status.ts";

/** What changed, for the log, the metrics, and whoever waits for a member to return. */
export type MembershipEvent =
  | {
      readonly kind: "suspected";
      readonly id: NodeId;
      readonly incarnation: number;
      readonly by: NodeId;
    }
  | {
      readonly kind: "dead";
      readonly id: NodeId;
      readonly incarnation: number;
      readonly by: NodeId;
      /**
       * How long after it was first confirmed anywhere this node heard of it; `undefined` if that
       * was before this node started, which says nothing of how fast news travel.
       */
      readonly ageMs: number | undefined;
    }
  | {
      readonly kind: "alive";
      readonly id: NodeId;
      readonly incarnation: number;
      /** What it was taken for before. */
      readonly was: MemberState;
    }
  | { readonly kind: "left"; readonly id: NodeId; readonly incarnation: number }
  /** Others took this node for something else, and were told otherwise. */
  | {
      readonly kind: "refuted";
      readonly state: GossipedState;
      readonly by: NodeId;
      readonly incarnation: number;
    }
  /** This process stood still for so long. */
  | { readonly kind: "stalled"; readonly ms: number }
  /** A member goes by a newer cluster document. */
  | { readonly kind: "behind"; readonly id: NodeId; readonly epoch: number };
