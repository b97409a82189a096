import type { RepairView } from "../http/anti-entropy.ts";
import { durationText } from "../table.ts";

/** How far a repair is, in one line. */
export function repairText(repair: RepairView | undefined): string {
  if (repair === undefined) return "asking it to repair";
  const { partitionsDone, partitions, keysCompared, keysPerSecond, keysExchanged } = repair;
  const parts = [
    `${partitionsDone} of ${partitions} partitions`,
    `${keysCompared} keys compared`,
    `${keysPerSecond}/s`,
    `${keysExchanged} exchanged`,
  ];
  if (repair.etaMs !== null) parts.push(`${durationText(repair.etaMs)} left`);
  const failed = repair.failures.map(({ peer }) => peer);
  if (failed.length > 0) parts.push(`not with ${failed.join(", ")}`);
  return parts.join("  ");
}
