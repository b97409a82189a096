import { withPool, type NodeOptions } from "../connect.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import { fetchJson, jsonOf } from "../http/cluster.ts";
import { failureOf } from "../http/failure.ts";
import type { CommittedView, TopologyView } from "../http/topology.ts";
import { durationText, table } from "../table.ts";
import { ownProgress } from "../topology/own-progress.ts";
import { forcingLines, movesText } from "../topology/plan-text.ts";
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
    for (const line of forcingLines(view)) terminal.say(line);
    terminal.say(movesText(view) ?? "nothing moves");
    const timeoutMs = options.timeout ?? NODE_TIMEOUT_MS;
    for (const line of await ownProgress(pool, view, timeoutMs)) terminal.say(line);
    terminal.say(`as ${view.node} sees it; cluster ${view.clusterId}, epoch ${view.epoch}`);
    return exitCodes.ok;
  });
}

/** A node tries for 10 seconds to have a change agreed. */
const changeMsMax = 15_000;

function pauseText(isPaused: boolean, partitions: number): string {
  if (partitions > 0) {
    return `${partitions} partitions on the move ${isPaused ? "stand still" : "go on"}`;
  }
  return `nothing moves; what is to move from now on ${isPaused ? "will stand still" : "goes on"}`;
}

/** `coterie plan pause` and `resume`: all that moves stands still, or goes on. */
export function setPaused(isPaused: boolean, options: NodeOptions): Promise<ExitCode> {
  const word = isPaused ? "pause" : "resume";
  return withPool(options, async (pool, terminal) => {
    const request = { method: "POST", path: `/v1/${word}` } as const;
    const reply = await pool.send(`plan ${word}`, request, options.timeout ?? changeMsMax);
    if (reply.status !== 200) throw failureOf(`plan ${word}`, reply);
    const { epoch, partitions } = jsonOf(`plan ${word}`, reply) as CommittedView;
    if (options.json === true) await terminal.data(`${JSON.stringify({ epoch, partitions })}\n`);
    else terminal.say(`epoch ${epoch}: ${pauseText(isPaused, partitions)}`);
    return exitCodes.ok;
  });
}

function describe({ members }: TopologyView): string {
  return table(
    [
      "NODE",
      "STATE",
      "MEMBER",
      "VOTE",
      "COPIES",
      "AFTER",
      "AWAITS",
      "TO DROP",
      "HOST",
      "ZONE",
      "WEIGHT",
    ],
    members
      .toSorted((left, right) => left.id.localeCompare(right.id, "en", { numeric: true }))
      .map((member) => [
        member.id,
        member.state,
        member.departure ?? "stays",
        member.vote,
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
