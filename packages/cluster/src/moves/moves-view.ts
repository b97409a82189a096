import type { NodeId } from "@coterie/core";
import type { ExchangeProblem } from "../anti-entropy/anti-entropy-view.ts";

/** Who keeps copies from getting to where they belong, and why. */
export interface MoveProblem {
  readonly peer: NodeId;
  readonly problem: ExchangeProblem;
  /** What this node has to exchange with it. */
  readonly partitions: number;
}

/** How far a node is with the copies that it is to get, and with those that it is to drop. */
export interface MovesView {
  /** Partitions of which this node has not got yet all that their owners hold. */
  readonly awaited: number;
  /** Partitions that this node owned, and of which it has a copy left. */
  readonly leftover: number;
  /** Of the exchanges that this takes, each of one partition with one member. */
  readonly exchanges: number;
  readonly exchangesDone: number;
  /** While any is left: keys per second, and how long it will take at the rate so far. */
  readonly keysPerSecond: number;
  readonly etaMs: number | undefined;
  /** By the names of the peers. */
  readonly problems: readonly MoveProblem[];
  readonly counts: Readonly<MoveCounts>;
}

/** Counted since the start. */
export interface MoveCounts {
  /** Partitions of which this node has got all, and of which it has dropped a copy. */
  arrived: number;
  dropped: number;
  /** Keys that exchanges for moves made equal, and bytes that those took, both ways. */
  keys: number;
  bytes: number;
  /** Such exchanges that were not completed. */
  failed: number;
}

export function newMoveCounts(): MoveCounts {
  return { arrived: 0, dropped: 0, keys: 0, bytes: 0, failed: 0 };
}
