import { withPool, type NodeOptions } from "../connect.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import { fetchJson, sortedMembers, type ClusterMember, type ClusterView } from "../http/cluster.ts";
import { durationText, table } from "../table.ts";

/** `coterie members`: who is in the cluster's document, and how each is. */
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
        [
          "NODE",
          "STATE",
          "FOR",
          "LINK",
          "INCARNATION",
          "RTT",
          "PEER",
          "HTTP",
          "HOST",
          "ZONE",
          "WEIGHT",
        ],
        sortedMembers(cluster).map((member) => [
          member.id,
          member.id === cluster.node ? "itself" : (member.state ?? "-"),
          member.sinceMs === undefined ? "-" : durationText(member.sinceMs),
          linkOf(member, cluster.node),
          member.incarnation ?? "-",
          typeof member.rttMs === "number" ? `${member.rttMs.toFixed(1)} ms` : "-",
          member.address,
          orDash(member.http),
          orDash(member.host),
          orDash(member.zone),
          member.weight,
        ]),
      ),
    );
    terminal.say(
      `as ${cluster.node} sees it; cluster ${cluster.clusterId}, epoch ${cluster.epoch}, ` +
        `document ${cluster.digest.slice(0, 8)}`,
    );
    return exitCodes.ok;
  });
}

/** Whether the asked node would send this one anything now. */
function linkOf({ id, isReachable, circuit }: ClusterMember, asked: string): string {
  if (id === asked || isReachable === undefined) return "-";
  if (circuit === "open" || circuit === "half-open") return "silent";
  return isReachable ? "up" : "down";
}

function orDash(text: string): string {
  return text === "" ? "-" : text;
}
