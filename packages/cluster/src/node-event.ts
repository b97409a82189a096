import type { Forcing, MembershipEvent, NodeId, PeerAddress } from "@coterie/core";
import type { RecoveryReport } from "@coterie/storage";
import type { AntiEntropyEvent } from "./anti-entropy/anti-entropy-view.ts";
import type { HandoffEvent } from "./handoff/handoff-view.ts";
import type { HintsLost } from "./hints/hint-book.ts";

/** A directory was lost, and its node goes on with an empty one. */
export type RejoinEvent =
  /** The directory is empty, and the cluster has a place for another one; what it waits for. */
  | { readonly kind: "rejoining"; readonly reason: string }
  /** The cluster has put this directory in the place of the one that was lost. */
  | { readonly kind: "rejoined"; readonly clusterId: string; readonly epoch: number }
  /** A member has lost its directory, and why it has not got its place back yet. */
  | { readonly kind: "rejoin-waits"; readonly id: NodeId; readonly reason: string }
  /** The cluster goes by another directory of a member from now on. */
  | { readonly kind: "directory-replaced"; readonly id: NodeId; readonly epoch: number };

/** A node becomes a member, or is one no more. */
export type TopologyEvent =
  /** The directory is empty, and the cluster does not know this node; what it waits for. */
  | { readonly kind: "offering"; readonly clusterId: string; readonly reason: string }
  /** The cluster has made this node a member. */
  | { readonly kind: "joined"; readonly clusterId: string; readonly epoch: number }
  /** A node that is no member offers itself to this one's cluster. */
  | { readonly kind: "offered"; readonly id: NodeId; readonly address: PeerAddress }
  /** Voters were given up, and the others went on without them: an operator has wanted that. */
  | { readonly kind: "voters-forced"; readonly forcing: Forcing }
  /** All that moves stands still from now on, or goes on. */
  | { readonly kind: "moves-paused"; readonly isPaused: boolean }
  /** This node is no member any more: it left, or it was removed. It serves nothing from now on. */
  | { readonly kind: "gone"; readonly how: "left" | "removed"; readonly reason: string };

/** What an operator wants to read in the log. */
export type NodeEvent =
  | { readonly kind: "store-opened"; readonly report: RecoveryReport }
  | { readonly kind: "formed"; readonly clusterId: string; readonly digest: string }
  | { readonly kind: "ready" }
  | RejoinEvent
  | TopologyEvent
  /** The node goes by another version of the cluster document from now on. */
  | { readonly kind: "document-changed"; readonly epoch: number; readonly digest: string }
  | { readonly kind: "peer-refused"; readonly reason: string }
  | { readonly kind: "refilled" }
  /** Copies of so many partitions are thrown away: others have reaped since, or it may be. */
  | { readonly kind: "discarded"; readonly partitions: number }
  /** All owners hold so many records alike whose clocks had grown wide: this one cuts them now. */
  | { readonly kind: "clocks-cut"; readonly records: number }
  | { readonly kind: "handoff"; readonly event: HandoffEvent }
  | { readonly kind: "anti-entropy"; readonly event: AntiEntropyEvent }
  | { readonly kind: "hints-lost"; readonly lost: HintsLost }
  | { readonly kind: "membership"; readonly event: MembershipEvent };
