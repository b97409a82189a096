import { withPool, type NodeOptions } from "../connect.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import {
  fetchJson,
  sortedMembers,
  type ClusterMember,
  type ClusterView,
  type RingView,
} from "../http/cluster.ts";
import type { NodePool } from "../http/node-pool.ts";
import { byteText, table } from "../table.ts";

/** What one node says of itself now. */
interface NodeStatus {
  readonly id: string;
  readonly http: string;
  readonly zone: string;
  readonly state: "ready" | "not ready" | "unreachable";
  /** What a node that is not ready waits for, or why there is no answer. */
  readonly detail: string;
  /** Partitions that it owns a copy of. */
  readonly partitions: number;
  readonly keys: number | undefined;
  readonly diskBytes: number | undefined;
  /** The most siblings that any read met since the node started. */
  readonly siblingsMax: number | undefined;
}

const NODE_TIMEOUT_MS = 2000;

/** `coterie status`: every node of the cluster; not 0 unless all of them serve. */
export function status(options: NodeOptions): Promise<ExitCode> {
  return withPool(options, async (pool, terminal) => {
    const timeoutMs = options.timeout ?? NODE_TIMEOUT_MS;
    const cluster = (await fetchJson(pool, "status", "/v1/cluster")) as ClusterView;
    const ring = (await fetchJson(pool, "status", "/v1/ring")) as RingView;
    const nodes = await Promise.all(
      sortedMembers(cluster).map((member) => nodeStatus(pool, member, ring, timeoutMs)),
    );
    const isDegraded = nodes.some(({ state }) => state !== "ready");
    if (options.json === true) {
      const { clusterId, epoch } = cluster;
      await terminal.data(`${JSON.stringify({ clusterId, epoch, isDegraded, nodes })}\n`);
    } else {
      await terminal.data(describe(nodes));
      terminal.say(`cluster ${cluster.clusterId}, epoch ${cluster.epoch}`);
    }
    if (!isDegraded) return exitCodes.ok;
    for (const { id, state, detail } of nodes) {
      if (state !== "ready") terminal.say(`${terminal.paint("red", id)} is ${state}: ${detail}`);
    }
    return exitCodes.failure;
  });
}

function describe(nodes: readonly NodeStatus[]): string {
  return table(
    ["NODE", "STATE", "PARTITIONS", "KEYS", "DISK", "SIBLINGS MAX", "ZONE", "HTTP"],
    nodes.map((node) => [
      node.id,
      node.state,
      node.partitions,
      node.keys ?? "-",
      node.diskBytes === undefined ? "-" : byteText(node.diskBytes),
      node.siblingsMax ?? "-",
      node.zone === "" ? "-" : node.zone,
      node.http,
    ]),
  );
}

async function nodeStatus(
  pool: NodePool,
  member: ClusterMember,
  ring: RingView,
  timeoutMs: number,
): Promise<NodeStatus> {
  const { id, http, zone } = member;
  const partitions = ring.owners.filter((owners) => owners.includes(id)).length;
  const unknown = { keys: undefined, diskBytes: undefined, siblingsMax: undefined };
  const base = { id, http, zone, partitions, ...unknown };
  if (http === "") return { ...base, state: "unreachable", detail: "it has no HTTP door" };
  const node = new URL(`http://${http}`);
  const [ready, metrics] = await Promise.all([
    pool.ask(node, { method: "GET", path: "/readyz" }, timeoutMs),
    pool.ask(node, { method: "GET", path: "/metrics" }, timeoutMs),
  ]);
  if (!ready.ok) return { ...base, state: "unreachable", detail: ready.message };
  const text = metrics.ok ? metrics.reply.body.toString("utf8") : "";
  const known = {
    ...base,
    keys: metricIn(text, "coterie_store_keys"),
    diskBytes: metricIn(text, "coterie_store_disk_bytes"),
    siblingsMax: metricIn(text, "coterie_siblings_max"),
  };
  if (ready.reply.status === 200) return { ...known, state: "ready", detail: "" };
  return { ...known, state: "not ready", detail: missingIn(ready.reply.body) };
}

/** A metric without labels in Prometheus' text form. */
export function metricIn(text: string, name: string): number | undefined {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

/** What a 503 of /readyz names. */
function missingIn(body: Buffer): string {
  const text = body.toString("utf8").trim();
  try {
    const { missing } = JSON.parse(text) as { missing?: readonly string[] };
    return missing?.join("; ") ?? text;
  } catch {
    return text;
  }
}
