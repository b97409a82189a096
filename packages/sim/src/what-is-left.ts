import type { SimCluster } from "./cluster.ts";

/** Tombstones at live nodes, and who keeps them, in words; empty when there are none. */
export function whatIsLeft(cluster: SimCluster): readonly string[] {
  return cluster.ids.flatMap((id) => {
    const { tombstones = 0, blockers = [] } = cluster.node(id)?.reaping() ?? {};
    const kept = blockers.map(({ node, reason, partitions }) => {
      return `${id} waits for ${node} in ${partitions} partitions: ${reason}`;
    });
    return tombstones === 0 ? [] : [`${id} holds ${tombstones} tombstones`, ...kept];
  });
}
