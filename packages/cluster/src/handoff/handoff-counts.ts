import type { DebtKind } from "./debt.ts";

/** What a node counts of its debts since it started. */
export interface HandoffCounts {
  /** Records that their targets acknowledged. */
  readonly paid: Record<DebtKind, number>;
  /** Records that were sent and not acknowledged: they are still owed. */
  readonly failed: Record<DebtKind, number>;
  /** Bytes of what was acknowledged, as the rate counts them. */
  bytes: number;
  /** Keys noted because a replica did not acknowledge them. */
  noted: number;
  /** Times that keys of a partition were given up for a comparison of lists. */
  overBudget: number;
}

export function newHandoffCounts(): HandoffCounts {
  return {
    paid: { missed: 0, hints: 0 },
    failed: { missed: 0, hints: 0 },
    bytes: 0,
    noted: 0,
    overBudget: 0,
  };
}
