import type { Violation } from "./history.ts";

/** What a run shows of its nodes besides what clients saw. */
export interface Evidence {
  /** Queues found over their limits, each with its node. */
  readonly overLimit: readonly string[];
  /** Long after everything was healed: what live nodes and ports still owe. */
  readonly hanging: {
    readonly questions: number;
    readonly calls: number;
    readonly unanswered: number;
  };
  /** Processes that ended themselves, with their reasons, and starts that failed. */
  readonly exits: readonly string[];
  /** Operations that failed during faults, though a quorum was well. */
  readonly stalled: readonly string[];
  /** Operations that failed though nothing was wrong any more, and nodes that do not serve. */
  readonly failedProbes: readonly string[];
  /** Long after everything was healed: what is owed, and keys whose copies differ unread. */
  readonly undrained: readonly string[];
  /** Long after everything was healed: copies that are not where they belong. */
  readonly unsettled: readonly string[];
  /** Versions of the cluster document that do not follow from each other. */
  readonly versions: readonly string[];
  /** Long after everything was healed: tombstones that nobody has forgotten, and why. */
  readonly unforgotten: readonly string[];
  /** Long after everything was healed: records whose clocks have not been cut, and why. */
  readonly unretired: readonly string[];
  /** Long after everything was healed: who takes whom for something else than alive. */
  readonly disagreements: readonly string[];
}

export type EvidenceChecker = (evidence: Evidence) => readonly Violation[];
