import type { NodeId } from "@coterie/core";
import type { DebtKind } from "./debt.ts";
import type { HandoffCounts } from "./handoff-counts.ts";
import type { PaceParts } from "./pace.ts";
import type { PaymentPorts } from "./payment.ts";

/** One debt as operators see it. */
export interface DebtView {
  readonly target: NodeId;
  readonly kind: DebtKind;
  readonly records: number;
  /** `undefined` where it is not known. */
  readonly bytes: number | undefined;
  /** Partitions of which the keys are not known: they are paid by comparing lists. */
  readonly dirtyPartitions: number;
  readonly state: "waiting" | "delivering";
  /** Records per second that the target has acknowledged lately; 0 while it waits. */
  readonly recordsPerSecond: number;
  /** When the records known will be paid at this rate; `undefined` while nothing moves. */
  readonly etaMs: number | undefined;
  /** How long something has been owed to the target without a break. */
  readonly ageMs: number;
}

export interface HandoffView {
  /** In the order of their targets. */
  readonly debts: readonly DebtView[];
  readonly counts: HandoffCounts;
}

/** What was paid, for the log: nothing is owed to the target any more. */
export interface HandoffEvent {
  readonly kind: "paid";
  readonly target: NodeId;
  readonly records: number;
  /** Since something was first owed. */
  readonly durationMs: number;
}

/** `bytesPerSecond` 0: nothing is paid. */
export interface HandoffParts extends PaymentPorts, PaceParts {
  readonly onEvent: (event: HandoffEvent) => void;
}
