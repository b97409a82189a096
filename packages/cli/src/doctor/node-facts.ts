import type { ClusterMember, ClusterView } from "../http/cluster.ts";
import type { NodePool } from "../http/node-pool.ts";
import type { NodeMetrics } from "../metrics/node-metrics.ts";
import { scrapeMember } from "../metrics/scrape-cluster.ts";

/** What a node that answers says of itself. */
export interface NodeFacts {
  readonly id: string;
  /** What it waits for; empty if it serves. */
  readonly missing: readonly string[];
  /** Its cluster and document; `undefined` until it is in one. */
  readonly cluster: Pick<ClusterView, "clusterId" | "digest"> | undefined;
  readonly metrics: NodeMetrics;
  /** How far its clock is ahead of ours, give or take half of `roundTripMs`. */
  readonly clockAheadMs: number;
  readonly roundTripMs: number;
}

/** A member that did not answer. */
export interface SilentNode {
  readonly id: string;
  readonly reason: string;
}

/** Asks a member for all that the checks look at. */
export async function nodeFacts(
  pool: NodePool,
  member: ClusterMember,
  timeoutMs: number,
): Promise<NodeFacts | SilentNode> {
  const { id, http } = member;
  if (http === "") return { id, reason: "it has no HTTP door" };
  const node = new URL(`http://${http}`);
  // Nodes that had nothing to say to each other know nothing of each other. This makes them ask.
  const path = "/v1/explain/default/doctor";
  const explained = await pool.ask(node, { method: "GET", path }, timeoutMs);
  if (!explained.ok) return { id, reason: explained.message };
  const scraped = await scrapeMember(pool, member, timeoutMs);
  if ("reason" in scraped) return { id, reason: scraped.reason };
  const [ready, cluster] = await Promise.all([
    pool.ask(node, { method: "GET", path: "/readyz" }, timeoutMs),
    pool.ask(node, { method: "GET", path: "/v1/cluster" }, timeoutMs),
  ]);
  if (!ready.ok) return { id, reason: ready.message };
  const { metrics, atMs, roundTripMs } = scraped;
  const wallSeconds = metrics.value("coterie_wall_clock_seconds");
  return {
    id,
    missing: ready.reply.status === 200 ? [] : missingOf(ready.reply.body),
    cluster: cluster.ok && cluster.reply.status === 200 ? clusterOf(cluster.reply.body) : undefined,
    metrics,
    clockAheadMs: wallSeconds === undefined ? 0 : wallSeconds * 1000 - atMs,
    roundTripMs,
  };
}

function missingOf(body: Buffer): readonly string[] {
  const parsed = fieldsOf(body)["missing"];
  return Array.isArray(parsed) ? parsed.map(String) : ["it does not say"];
}

function clusterOf(body: Buffer): NodeFacts["cluster"] {
  const { clusterId, digest } = fieldsOf(body);
  return { clusterId: String(clusterId), digest: String(digest) };
}

function fieldsOf(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    return { ...(JSON.parse(body.toString("utf8")) as object) };
  } catch {
    return {};
  }
}
