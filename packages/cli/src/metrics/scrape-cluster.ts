import type { ClusterMember } from "../http/cluster.ts";
import type { NodePool } from "../http/node-pool.ts";
import { NodeMetrics } from "./node-metrics.ts";

/** What one node measured, and when this process asked it. */
export interface Scraped {
  readonly metrics: NodeMetrics;
  /** Of this process's clock, in the middle of the exchange. */
  readonly atMs: number;
  readonly roundTripMs: number;
}

/** Asks a member for its metrics; says why there are none. */
export async function scrapeMember(
  pool: NodePool,
  { http }: ClusterMember,
  timeoutMs: number,
): Promise<Scraped | { readonly reason: string }> {
  if (http === "") return { reason: "it has no HTTP door" };
  const beganMs = performance.timeOrigin + performance.now();
  const answer = await pool.ask(
    new URL(`http://${http}`),
    { method: "GET", path: "/metrics" },
    timeoutMs,
  );
  const endedMs = performance.timeOrigin + performance.now();
  if (!answer.ok) return { reason: answer.message };
  if (answer.reply.status !== 200) return { reason: `it answered ${answer.reply.status}` };
  return {
    metrics: NodeMetrics.parse(answer.reply.body.toString("utf8")),
    atMs: (beganMs + endedMs) / 2,
    roundTripMs: endedMs - beganMs,
  };
}
