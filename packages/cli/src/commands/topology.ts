import { withPool, type NodeOptions } from "../connect.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import { fetchJson } from "../http/cluster.ts";
import type { TopologyView } from "../http/topology.ts";
import { durationText, table } from "../table.ts";
import { ownProgress } from "../topology/own-progress.ts";
import { movesText } from "../topology/plan-text.ts";
import { untilQuiet } from "../topology/until-quiet.ts";

export interface TopologyOptions extends NodeOptions {
  /** Ends when nothing moves any more. */
  readonly wait?: boolean;
}

const NODE_TIMEOUT_MS = 2000;

/** `coterie topology`: who belongs to the cluster, who would, and what moves. */
export function topology(options: TopologyOptions): Promise<ExitCode> {
  return withPool(options, async (pool, terminal) => {
    const first = (await fetchJson(pool, "topology", "/v1/topology")) as TopologyView;
    const view = options.wait === true ? await untilQuiet(pool, terminal, first.epoch) : first;
    if (options.json === true) {
      await terminal.data(`${JSON.stringify(view)}\n`);
      return exitCodes.ok;
    }
    await terminal.data(describe(view));
    for (const { id, address, zone, ageMs } of view.offers) {
      const heard = `${id} at ${address}, zone ${zone}, offers itself`;
      terminal.say(`${heard} (heard ${durationText(ageMs)} ago): coterie plan join ${id}`);
    }
    terminal.say(movesText(view) ?? "nothing moves");
    const timeoutMs = options.timeout ?? NODE_TIMEOUT_MS;
    for (const line of await ownProgress(pool, view, timeoutMs)) terminal.say(line);
    terminal.say(`as ${view.node} sees it; cluster ${view.clusterId}, epoch ${view.epoch}`);
    return exitCodes.ok;
  });
}

function describe({ members }: TopologyView): string {
  return table(
    ["NODE", "STATE", "MEMBER", "COPIES", "AFTER", "AWAITS", "TO DROP", "HOST", "ZONE", "WEIGHT"],
    members
      .toSorted((left, right) => left.id.localeCompare(right.id, "en", { numeric: true }))
      .map((member) => [
        member.id,
        member.state,
        member.departure ?? "stays",
        member.copies,
        member.copiesAfter,
        member.awaits,
        member.leftovers,
        member.host === "" ? "-" : member.host,
        member.zone === "" ? "-" : member.zone,
        member.weight,
      ]),
  );
}
