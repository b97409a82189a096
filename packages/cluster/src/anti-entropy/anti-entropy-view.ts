import type { NodeId, PartitionId } from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import type { PaymentProblem } from "../handoff/payment.ts";

/** Why an exchange was not completed. `stopped`: something could not be read or taken just then. */
export type ExchangeProblem = PaymentProblem | "stopped";

/** The exchanges with one peer, begun by this node. */
export interface PeerExchangeView {
  readonly peer: NodeId;
  readonly state: "waiting" | "exchanging";
  /** How long ago the last exchange began that was completed; `undefined`: none was yet. */
  readonly completeAgeMs: number | undefined;
  /** Partitions of which both own a copy. */
  readonly partitions: number;
  /** Those found or made alike, by the exchange under way or the last one. */
  readonly partitionsDone: number;
  /** Keys that differed, and of which both hold the same since. */
  readonly keysExchanged: number;
  /** In the exchange under way; 0 while there is none. */
  readonly keysPerSecond: number;
  /** Exchanges that were not completed. */
  readonly failures: number;
  /** Why the last exchange was not completed; `undefined` if it was. */
  readonly problem: ExchangeProblem | undefined;
}

/** A repair that an operator asked for: the last one, be it over or not. */
export interface RepairView {
  /** Counts the repairs of this node since its start: this is still the one that was started. */
  readonly number: number;
  /** `failed`: it is over, and some peer's copies may still differ. */
  readonly state: "running" | "done" | "failed";
  readonly elapsedMs: number;
  readonly partitions: number;
  /** Those of which all other owners hold what this node holds. */
  readonly partitionsDone: number;
  /** Keys that this node holds of the partitions compared, counted once for each peer. */
  readonly keysCompared: number;
  readonly keysExchanged: number;
  /** Sent and received. */
  readonly bytes: number;
  readonly keysPerSecond: number;
  /** As the partitions done so far suggest; `undefined` while that is not known. */
  readonly etaMs: number | undefined;
  readonly failures: readonly RepairFailure[];
}

export interface RepairFailure {
  readonly peer: NodeId;
  /** Partitions of which it may still hold something else. */
  readonly partitions: number;
  readonly problem: ExchangeProblem;
}

/** Whether a repair was started. */
export type RepairStarted =
  | {
      readonly ok: true;
      /** Of the {@link RepairView} that tells how far it is. */
      readonly number: number;
      readonly partitions: number;
      readonly peers: number;
    }
  | {
      readonly ok: false;
      readonly code: "busy" | "not-owner" | "not-ready";
      readonly message: string;
    };

/** What a node counts of its exchanges since it started. */
export interface AntiEntropyCounts {
  /** Exchanges begun by this node and completed; and those that were not. */
  completed: number;
  failed: number;
  keysExchanged: number;
  /** Sent and received. */
  bytes: number;
}

export interface AntiEntropyView {
  /** How often each peer's turn comes; 0: only when something asks for it. */
  readonly intervalMs: number;
  /** Age of the partition that has been compared with all its other owners the longest ago. */
  readonly lagMs: number;
  /** That partition, and with whom; `undefined` where no other node owns what this one does. */
  readonly oldest: { readonly partition: PartitionId; readonly peer: NodeId } | undefined;
  /** In the order of their ids. */
  readonly peers: readonly PeerExchangeView[];
  readonly repair: RepairView | undefined;
  readonly counts: Readonly<AntiEntropyCounts>;
}

/** For the log: an exchange found differences, or a repair is over. */
export type AntiEntropyEvent =
  | {
      readonly kind: "exchanged";
      readonly peer: NodeId;
      readonly keys: number;
      readonly durationMs: MonotonicMs;
    }
  | { readonly kind: "repaired"; readonly repair: RepairView };
