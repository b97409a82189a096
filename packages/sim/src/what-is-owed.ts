import type { SimCluster } from "./cluster.ts";

/** What live nodes owe to others, in words; empty when all is paid. */
export function whatIsOwed(cluster: SimCluster): readonly string[] {
  return cluster.ids.flatMap((id) => {
    const debts = cluster.node(id)?.handoff()?.debts ?? [];
    return debts.map(({ target, kind, records, dirtyPartitions }) => {
      return `${id} owes ${target}: ${records} ${kind}, ${dirtyPartitions} dirty partitions`;
    });
  });
}

/** Bytes that the live node with the largest debt owes to others, all together. */
export function mostBytesOwed(cluster: SimCluster): number {
  const owed = cluster.ids.map((id) => {
    const debts = cluster.node(id)?.handoff()?.debts ?? [];
    return debts.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
  });
  return Math.max(0, ...owed);
}
