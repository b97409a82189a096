import { withPool, type NodeOptions } from "../connect.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import { fetchJson, sortedMembers, type ClusterView } from "../http/cluster.ts";
import { table } from "../table.ts";

/** `coterie members`: who is in the cluster's document, and whom the asked node reaches. */
export function members(options: NodeOptions): Promise<ExitCode> {
  return withPool(options, async (pool, terminal) => {
    const cluster = (await fetchJson(pool, "members", "/v1/cluster")) as ClusterView;
    if (options.json === true) {
      const { clusterId, epoch, digest, node } = cluster;
      const shown = { clusterId, epoch, digest, node, members: sortedMembers(cluster) };
      await terminal.data(`${JSON.stringify(shown)}\n`);
      return exitCodes.ok;
    }
    await terminal.data(
      table(
        ["NODE", "REACHABLE", "PEER", "HTTP", "HOST", "ZONE", "WEIGHT"],
        sortedMembers(cluster).map(({ id, isReachable, address, http, host, zone, weight }) => [
          id,
          id === cluster.node ? "itself" : isReachable ? "yes" : "no",
          address,
          http === "" ? "-" : http,
          host === "" ? "-" : host,
          zone === "" ? "-" : zone,
          weight,
        ]),
      ),
    );
    terminal.say(
      `as ${cluster.node} sees it; cluster ${cluster.clusterId}, epoch ${cluster.epoch}, ` +
        `document ${cluster.digest.slice(0, 8)}`,
    );
    terminal.say("no: streams to it cannot be opened; failures are not yet told by gossip");
    return exitCodes.ok;
  });
}
