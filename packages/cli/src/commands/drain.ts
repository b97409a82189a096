import { setTimeout as sleep } from "node:timers/promises";
import { withPool, type NodeOptions } from "../connect.ts";
import { CliFailure, exitCodes, type ExitCode } from "../exit.ts";
import { DEFAULT_TIMEOUT_MS } from "../http/bucket-client.ts";
import { fetchJson, sortedMembers, type ClusterView } from "../http/cluster.ts";
import { failureOf } from "../http/failure.ts";
import type { NodePool } from "../http/node-pool.ts";

/** How long a node may take to be gone: its requests, its stores, its goodbyes. */
const GONE_MS = 30_000;
const POLL_MS = 50;

/** `coterie drain`: has a node finish what is in flight and end; settles when it is gone. */
export function drain(id: string, options: NodeOptions): Promise<ExitCode> {
  return withPool(options, async (pool, terminal) => {
    const cluster = (await fetchJson(pool, "drain", "/v1/cluster")) as ClusterView;
    const members = sortedMembers(cluster);
    const member = members.find((each) => each.id === id);
    if (member === undefined) {
      const known = members.map((each) => each.id).join(", ");
      throw new CliFailure(exitCodes.notFound, `there is no node ${id}`, `one of ${known}`);
    }
    const node = new URL(`http://${member.http}`);
    const body = Buffer.from(JSON.stringify({ node: id }));
    const request = { method: "POST", path: "/v1/drain", body } as const;
    const asked = await pool.ask(node, request, options.timeout ?? DEFAULT_TIMEOUT_MS);
    if (!asked.ok) throw new CliFailure(exitCodes.unavailable, `${id}: ${asked.message}`);
    if (asked.reply.status !== 202) throw failureOf("drain", asked.reply);
    const isGone = await untilGone(pool, node);
    if (options.json === true) await terminal.data(`${JSON.stringify({ node: id, isGone })}\n`);
    else terminal.say(isGone ? `${id} has ended` : `${id} still drains: its log says why`);
    return isGone ? exitCodes.ok : exitCodes.failure;
  });
}

async function untilGone(pool: NodePool, node: URL): Promise<boolean> {
  const endMs = performance.now() + GONE_MS;
  while (performance.now() < endMs) {
    const answer = await pool.ask(node, { method: "GET", path: "/livez" }, POLL_MS * 10);
    if (!answer.ok && answer.reason === "refused") return true;
    await sleep(POLL_MS);
  }
  return false;
}
