import { createInterface } from "node:readline/promises";
import { hostname, userInfo } from "node:os";
import { withPool, type NodeOptions } from "../connect.ts";
import { CliFailure, exitCodes, type ExitCode } from "../exit.ts";
import { fetchJson, jsonOf } from "../http/cluster.ts";
import { failureOf } from "../http/failure.ts";
import type { NodePool } from "../http/node-pool.ts";
import type { TopologyView, VotersForcedView } from "../http/topology.ts";
import type { Terminal } from "../terminal.ts";

/** Options of `coterie config force-voters`. */
export interface ForcingOptions extends NodeOptions {
  /** The names of those who lose their votes, typed. */
  readonly confirm?: string;
  readonly by?: string;
}

/** A node asks all voters first, then tries for 10 seconds. */
const forcingMsMax = 20_000;

/** `coterie config force-voters n4 n5`: those alone vote from now on. */
export function forceVoters(ids: readonly string[], options: ForcingOptions): Promise<ExitCode> {
  return withPool(options, async (pool, terminal) => {
    const what = "config force-voters";
    const confirm = options.confirm ?? (await typedNames(await lostBy(pool, ids), ids, terminal));
    const by = options.by ?? `${userInfo().username}@${hostname()}`;
    const body = Buffer.from(JSON.stringify({ voters: ids, confirm, by }));
    const headers = { "content-type": "application/json" };
    const request = { method: "POST", path: "/v1/force-voters", headers, body } as const;
    const reply = await pool.send(what, request, options.timeout ?? forcingMsMax);
    if (reply.status !== 200) throw failureOf(what, reply);
    const { epoch, lost } = jsonOf(what, reply) as VotersForcedView;
    if (options.json === true) await terminal.data(`${JSON.stringify({ epoch, lost })}\n`);
    else terminal.say(`${lost.join(", ")} have no vote any more; epoch ${epoch}`);
    return exitCodes.ok;
  });
}

async function lostBy(pool: NodePool, left: readonly string[]): Promise<readonly string[]> {
  const view = (await fetchJson(pool, "config force-voters", "/v1/topology")) as TopologyView;
  const voters = view.members.filter(({ vote }) => vote === "yes").map(({ id }) => id);
  return voters.filter((id) => !left.includes(id));
}

/** Asks a person at the terminal to type who is given up: what is typed is judged by the node. */
async function typedNames(
  lost: readonly string[],
  left: readonly string[],
  terminal: Terminal,
): Promise<string> {
  if (!process.stdin.isTTY || !terminal.isInteractive) {
    throw new CliFailure(
      exitCodes.usage,
      "whose votes are taken has to be typed",
      `coterie config force-voters ${left.join(" ")} --confirm "${lost.join(" ")}"`,
    );
  }
  terminal.say(`these lose their votes for good: ${lost.join(" ")}`);
  terminal.say("if one of them still runs, what it has agreed on since is given up");
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await questions.question("type their names to go on: ");
  questions.close();
  return answer.trim().split(/\s+/u).join(" ");
}
