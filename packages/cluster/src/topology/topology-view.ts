import {
  type ClusterDocument,
  type Departure,
  type Forcing,
  type Member,
  type MemberState,
  type NodeId,
  countsIn,
  ownersAfterMoves,
  votersOf,
} from "@coterie/core";
import type { MemberWatch } from "../membership/member-watch.ts";
import type { Offer } from "../formation/offer-book.ts";

/** One member and what it has and gets, in copies of partitions. */
export interface TopologyMember extends Omit<Member, "departure" | "vote"> {
  readonly departure: Departure | undefined;
  /** Whether it votes on the next version; `forfeited`: not even where there are too few others. */
  readonly vote: "yes" | "no" | "forfeited";
  /** How it is, as far as the asked node knows. */
  readonly state: MemberState;
  readonly copies: number;
  /** When nothing moves any more. */
  readonly copiesAfter: number;
  /** Moving partitions that it has not yet got all of. */
  readonly awaits: number;
  /** Copies that it owns no more and has not dropped yet. */
  readonly leftovers: number;
}

/** Who the members are, who would be one, and what moves between them. */
export interface TopologyView {
  readonly node: NodeId;
  readonly clusterId: string;
  readonly epoch: number;
  readonly members: readonly TopologyMember[];
  /** Nodes that offer themselves and are no members. */
  readonly offers: readonly Offer[];
  /** Partitions that move. */
  readonly moves: number;
  /** Copies that former owners have not dropped yet. */
  readonly leftovers: number;
  /** Nothing of that is copied or dropped now: an operator has wanted it so. */
  readonly paused: boolean;
  /** Versions that were forced after too many voters were lost, the earliest first. */
  readonly forcings: readonly Forcing[];
}

/** What a document and those who watch the members say of them. */
export function viewTopology(
  node: NodeId,
  document: ClusterDocument,
  watch: Pick<MemberWatch, "stateOf">,
  offers: readonly Offer[],
): TopologyView {
  const { clusterId, epoch, members, owners, moves = [], leftovers = [] } = document;
  const voters = votersOf(document);
  const copies = countsIn(owners);
  const copiesAfter = countsIn(ownersAfterMoves(document));
  const awaits = countsIn(moves.map(({ awaited }) => awaited));
  const left = countsIn(leftovers.map(({ member }) => [member]));
  return {
    node,
    clusterId,
    epoch,
    members: members.map((member, at) => ({
      ...member,
      departure: member.departure,
      vote: member.vote ?? (voters.includes(member) ? "yes" : "no"),
      state: watch.stateOf(member.id) ?? "unknown",
      copies: copies.get(at) ?? 0,
      copiesAfter: copiesAfter.get(at) ?? 0,
      awaits: awaits.get(at) ?? 0,
      leftovers: left.get(at) ?? 0,
    })),
    // What is a member by now has been announced as a newcomer a moment ago.
    offers: offers.filter(({ member }) => members.every(({ id }) => id !== member.id)),
    moves: moves.length,
    leftovers: leftovers.length,
    paused: document.paused === true,
    forcings: document.forcings ?? [],
  };
}
