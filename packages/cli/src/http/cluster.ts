import { CliFailure, exitCodes } from "../exit.ts";
import { DEFAULT_TIMEOUT_MS } from "./bucket-client.ts";
import type { Reply } from "./exchange.ts";
import { failureOf } from "./failure.ts";
import type { NodePool } from "./node-pool.ts";

/** One node, as the cluster's document names it. */
export interface ClusterMember {
  readonly id: string;
  /** `host:port` of its HTTP door; empty if it has none. */
  readonly http: string;
  /** `host:port` of its gRPC door for clients; a cluster from before there was one names none. */
  readonly grpc?: string;
  /** `host:port` of its peer door. */
  readonly address: string;
  readonly host: string;
  readonly zone: string;
  readonly weight: number;
  /** Of a node from before there was membership, nothing more. */
  readonly state?: string;
  /** For how long. */
  readonly sinceMs?: number;
  readonly incarnation?: number;
  readonly rttMs?: number | null;
  /** A node from before there were circuits says nothing of them. */
  readonly isReachable?: boolean;
  readonly circuit?: string;
}

/** A bucket's settings, as the cluster's document has them. */
export interface BucketView {
  readonly name: string;
  readonly policy: string;
  readonly n: number;
  readonly r: number;
  readonly w: number;
  readonly pr: number;
  readonly pw: number;
  readonly allowStale: boolean;
  /** Left out by a node from before there was a choice: strict. */
  readonly mode?: string;
  /** Milliseconds that a value lives whose put does not say. */
  readonly ttlMs?: number;
}

/** The answer to a change of a bucket. */
export interface ChangedBucketView extends BucketView {
  readonly result: "created" | "changed" | "unchanged";
  readonly epoch: number;
}

/** `GET /v1/cluster`. */
export interface ClusterView {
  readonly clusterId: string;
  readonly epoch: number;
  /** Of the cluster's document. */
  readonly digest: string;
  /** Who answered. */
  readonly node: string;
  readonly buckets: readonly BucketView[];
  readonly members: readonly ClusterMember[];
}

/** By name, n2 before n10. */
export function sortedMembers({ members }: ClusterView): readonly ClusterMember[] {
  return members.toSorted((left, right) =>
    left.id.localeCompare(right.id, "en", { numeric: true }),
  );
}

/** `GET /v1/ring`. */
export interface RingView {
  readonly epoch: number;
  readonly hash: string;
  /** Per partition, the ids of its owners in order. */
  readonly owners: readonly (readonly string[])[];
}

/** The JSON body of a GET, from whichever node answers first. */
export async function fetchJson(
  pool: NodePool,
  what: string,
  path: string,
  timeoutMs: number = DEFAULT_TIMEOUT_MS,
): Promise<unknown> {
  const reply = await pool.send(what, { method: "GET", path }, timeoutMs);
  if (reply.status !== 200) throw failureOf(what, reply);
  return jsonOf(what, reply);
}

/** Which cluster this is: empty while no node says. */
export async function clusterIdOf(pool: NodePool): Promise<string> {
  const what = "asking for the cluster";
  const request = { method: "GET", path: "/v1/cluster" } as const;
  const reply = await pool.send(what, request, DEFAULT_TIMEOUT_MS);
  if (reply.status !== 200) return "";
  const { clusterId } = jsonOf(what, reply) as Partial<ClusterView>;
  return clusterId ?? "";
}

/** A reply's JSON body. */
export function jsonOf(what: string, { node, body }: Reply): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw new CliFailure(
      exitCodes.failure,
      `${what} failed: ${node.host} did not answer in JSON (${(error as Error).message})`,
      "name a Coterie node's HTTP address with --node URL",
    );
  }
}
