import type { PartitionId } from "@coterie/core";
import { type ComparisonParts, compareLists } from "../handoff/compare-lists.ts";
import type { Payer } from "../handoff/debt.ts";

/** Hears of what an exchange has done. */
export interface ExchangeWatch {
  /** Of this partition both hold the same now, apart from what came meanwhile. */
  onComplete(partition: PartitionId): void;
  /** Of a key that differed both hold the same now. */
  onExchanged(): void;
}

/**
 * Compares what this node and another hold of these partitions, both owning a copy, and makes both
 * hold the same. True if all of them were completed.
 */
export async function exchange(
  parts: ComparisonParts,
  payer: Payer,
  partitions: readonly PartitionId[],
  watch: ExchangeWatch,
): Promise<boolean> {
  for (const partition of partitions) {
    if (!(await compareLists(parts, payer, partition, () => watch.onExchanged()))) return false;
    watch.onComplete(partition);
  }
  return true;
}
