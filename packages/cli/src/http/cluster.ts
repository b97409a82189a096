import { CliFailure, exitCodes } from "../exit.ts";
import { DEFAULT_TIMEOUT_MS } from "./bucket-client.ts";
import type { Exchange } from "./exchange.ts";
import { failureOf } from "./failure.ts";
import type { NodePool } from "./node-pool.ts";

/** The JSON body of a GET, from whichever node answers first. */
export async function fetchJson(
  pool: NodePool,
  what: string,
  path: string,
  timeoutMs: number = DEFAULT_TIMEOUT_MS,
): Promise<unknown> {
  const request: Exchange = { method: "GET", path, headers: { accept: "application/json" } };
  const reply = await pool.send(what, request, timeoutMs);
  if (reply.status !== 200) throw failureOf(what, reply);
  try {
    return JSON.parse(reply.body.toString("utf8"));
  } catch (error) {
    throw new CliFailure(
      exitCodes.failure,
      `${what} failed: ${reply.node.host} did not answer in JSON (${(error as Error).message})`,
      "name a Coterie node's HTTP address with --node URL",
    );
  }
}

/**
 * Which cluster this is: an import into one is no reason to skip lines in another. Empty while no
 * node says.
 */
export async function clusterIdOf(pool: NodePool): Promise<string> {
  const reply = await pool.send(
    "asking for the cluster",
    { method: "GET", path: "/v1/cluster" },
    DEFAULT_TIMEOUT_MS,
  );
  if (reply.status !== 200) return "";
  const { clusterId } = JSON.parse(reply.body.toString("utf8")) as { clusterId?: string };
  return clusterId ?? "";
}
