import type { SimCluster } from "./cluster.ts";

/** Records at live nodes whose clocks are to be cut, in words; empty when there are none. */
export function whatIsWide(cluster: SimCluster): readonly string[] {
  return cluster.ids.flatMap((id) => {
    const { wide = 0, blockers = [] } = cluster.node(id)?.reaping() ?? {};
    const kept = blockers.map(({ node, reason }) => `${id} waits for ${node}: ${reason}`);
    return wide === 0 ? [] : [`${id} holds ${wide} wide records`, ...kept];
  });
}

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
