import type { NodeId } from "../ids.ts";

/** What members tell of each other. `left`: it went of its own accord. */
export type GossipedState = "alive" | "suspect" | "dead" | "left";

/** One statement about one member, passed from node to node until everybody has heard it. */
export interface News {
  readonly id: NodeId;
  readonly state: GossipedState;
  /** Which life of the member this is about; only the member itself raises it. */
  readonly incarnation: number;
  /** Who says so of its own knowledge. Different accusers confirm a suspicion. */
  readonly by: NodeId;
  /** How long ago a death was first confirmed, as far as the sender knows; else 0. */
  readonly ageMs: number;
}

/** Incarnations at or above this are not believed: nobody refutes four thousand million times. */
export const incarnationMax: number = 2 ** 32;

const ranks = { alive: 0, suspect: 1, dead: 2, left: 3 } as const;

/**
 * Orders statements about one member: positive when `left` overrides `right`, 0 when they say the
 * same. A total order (SWIM section 4.2, where a death overrides every incarnation; here a later
 * life overrides a death, so that a member that was away returns), so that members who have heard
 * the same statements, in whatever order and however often, hold the same.
 */
export function compareNews(
  left: Pick<News, "incarnation" | "state">,
  right: Pick<News, "incarnation" | "state">,
): number {
  return left.incarnation === right.incarnation
    ? ranks[left.state] - ranks[right.state]
    : left.incarnation - right.incarnation;
}

/** As {@link News.ageMs} travels: in 32 bits. */
export function wholeMs(ms: number): number {
  return Math.min(Math.round(ms), 0xffff_ffff);
}
