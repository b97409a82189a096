import type { SimCluster } from "./cluster.ts";

/** What a node's clock may be slow by: its own milliseconds are not the world's. */
const driftShare = 0.95;

/**
 * Partitions that live nodes have not compared with some other owner for so long, in words; empty
 * when each pair of owners has completed an exchange since.
 */
export function whatIsBehind(cluster: SimCluster, ms: number): readonly string[] {
  return cluster.ids.flatMap((id) => {
    const view = cluster.node(id)?.antiEntropy();
    if (view === undefined || view.lagMs < ms * driftShare) return [];
    const { oldest, lagMs } = view;
    const who = `${id} has not compared partition ${oldest?.partition} with ${oldest?.peer}`;
    return [`${who} for ${Math.round(lagMs)} ms`];
  });
}
