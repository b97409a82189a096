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
