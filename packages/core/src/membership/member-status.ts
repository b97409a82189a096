import type { NodeId, PeerAddress } from "../ids.ts";
import type { MemberRecord } from "./member-table.ts";
import type { GossipedState } from "./news.ts";

/** `unknown`: a member by the cluster document that nobody has been heard of yet. */
export type MemberState = GossipedState | "unknown";

/** What one node knows of one member, itself included. */
export interface MemberStatus {
  readonly id: NodeId;
  readonly address: PeerAddress;
  readonly state: MemberState;
  readonly isSelf: boolean;
  readonly incarnation: number;
  /** How long it has been in this state. */
  readonly sinceMs: number;
  /** Smoothed; `undefined` until it was measured. */
  readonly rttMs: number | undefined;
}

/** The state to go by: who came back too often counts as a suspect for a while. */
export function stateOf(record: MemberRecord, now: number): MemberState {
  if (record.state !== "alive") return record.state;
  if (now < record.heldUntil) return "suspect";
  return record.isHeard ? "alive" : "unknown";
}

export function statusOf(record: MemberRecord, self: MemberRecord, now: number): MemberStatus {
  return {
    id: record.id,
    address: record.address,
    state: stateOf(record, now),
    isSelf: record === self,
    incarnation: record.incarnation,
    sinceMs: now - record.since,
    rttMs: record.roundTrip?.ms,
  };
}
