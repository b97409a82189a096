import { withPool, type NodeOptions } from "../connect.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import {
  fetchJson,
  jsonOf,
  sortedMembers,
  type BucketView,
  type ClusterMember,
  type ClusterView,
  type RingView,
} from "../http/cluster.ts";
import type { AntiEntropyView } from "../http/anti-entropy.ts";
import type { ExchangeResult } from "../http/exchange.ts";
import type { NodePool } from "../http/node-pool.ts";
import type { NodeMetrics } from "../metrics/node-metrics.ts";
import { scrapeMember } from "../metrics/scrape-cluster.ts";
import type { TopologyView } from "../http/topology.ts";
import { repairText } from "../repair/repair-text.ts";
import { byteText, durationText, table } from "../table.ts";
import { forcingLines, movesText } from "../topology/plan-text.ts";

/** What one node says of itself now. */
interface NodeStatus {
  readonly id: string;
  readonly http: string;
  readonly grpc: string;
  readonly zone: string;
  readonly state: "ready" | "not ready" | "unreachable";
  /** What a node that is not ready waits for, or why there is no answer. */
  readonly detail: string;
  /** Partitions that it owns a copy of. */
  readonly partitions: number;
  /** What only a node that answers can say. */
  readonly facts?: NodeFigures;
  /** How long ago its copies were compared; a node from before that was done does not say. */
  readonly antiEntropy?: AntiEntropyView;
}

interface NodeFigures {
  /** What keeps its records. */
  readonly engine: string | undefined;
  readonly version: string | undefined;
  readonly upSeconds: number | undefined;
  readonly peersReached: number;
  readonly peers: number;
  readonly keys: number | undefined;
  readonly diskBytes: number | undefined;
  readonly availableBytes: number | undefined;
  /** It may lack what it has lost, and asks the others for it. */
  readonly isRefilling: boolean;
  /** The most siblings that any read met since the node started. */
  readonly siblingsMax: number | undefined;
  /** Who keeps it from forgetting tombstones, and in how many partitions. */
  readonly reapingBlocked: readonly ReapingBlocked[];
}

interface ReapingBlocked {
  readonly node: string;
  readonly reason: string;
  readonly partitions: number;
}

/** Partitions of a bucket in which too few nodes serve. */
interface Shortage {
  readonly bucket: string;
  readonly unreadable: number;
  readonly unwritable: number;
}

const NODE_TIMEOUT_MS = 2000;
/** So many turns of a peer may pass before status speaks of it. */
const overdueIntervals = 3;

/** `coterie status`: every node of the cluster; not 0 unless all of them serve. */
export function status(options: NodeOptions): Promise<ExitCode> {
  return withPool(options, async (pool, terminal) => {
    const timeoutMs = options.timeout ?? NODE_TIMEOUT_MS;
    const cluster = (await fetchJson(pool, "status", "/v1/cluster")) as ClusterView;
    const ring = (await fetchJson(pool, "status", "/v1/ring")) as RingView;
    const nodes = await Promise.all(
      sortedMembers(cluster).map((member) => nodeStatus(pool, member, ring, timeoutMs)),
    );
    const serving = new Set(nodes.filter(({ state }) => state === "ready").map(({ id }) => id));
    const isDegraded = serving.size < nodes.length;
    const moving = await topologyTexts(pool, timeoutMs);
    const shortages = shortagesOf(cluster.buckets, ring, serving);
    if (options.json === true) {
      const { clusterId, epoch } = cluster;
      const shown = nodes.map(({ facts, antiEntropy, ...node }) => {
        return { ...node, ...facts, ...comparedJson(antiEntropy) };
      });
      const text = JSON.stringify({ clusterId, epoch, isDegraded, nodes: shown, shortages });
      await terminal.data(`${text}\n`);
    } else {
      await terminal.data(describe(nodes));
      const { clusterId, epoch } = cluster;
      const count = `${serving.size} of ${nodes.length} nodes serve`;
      terminal.say(`${count}; cluster ${clusterId}, epoch ${epoch}`);
    }
    for (const { id, state, detail } of nodes) {
      if (state !== "ready") terminal.say(`${terminal.paint("red", id)} is ${state}: ${detail}`);
    }
    const leveled = nodes.filter(({ facts }) => facts?.engine === "leveldb").map(({ id }) => id);
    if (leveled.length > 0) terminal.say(`engine leveldb: ${leveled.join(", ")}`);
    for (const line of moving) terminal.say(line);
    for (const { id, antiEntropy } of nodes) {
      for (const line of antiEntropyTexts(antiEntropy)) terminal.say(`${id} ${line}`);
    }
    for (const { id, facts } of nodes) {
      for (const blocked of facts?.reapingBlocked ?? []) terminal.say(blockedText(id, blocked));
      if (facts?.isRefilling !== true) continue;
      terminal.say(`${id} is refilling: its copies do not count until all others were asked`);
    }
    for (const shortage of shortages) terminal.say(shortageText(shortage, ring));
    return isDegraded ? exitCodes.failure : exitCodes.ok;
  });
}

/** What moves, and who offers itself; why that is not known, if it is not. */
async function topologyTexts(pool: NodePool, timeoutMs: number): Promise<readonly string[]> {
  const answer = await pool.sendInTurn({ method: "GET", path: "/v1/topology" }, timeoutMs);
  if (!answer.ok || answer.reply.status !== 200) return ["no node says what moves"];
  const view = jsonOf("status", answer.reply) as TopologyView;
  const moves = movesText(view);
  const lines = [
    ...view.offers.map(({ id }) => `${id} offers itself: coterie plan join ${id}`),
    ...forcingLines(view),
  ];
  return moves === undefined ? lines : [`${moves}: coterie topology --wait`, ...lines];
}

function describe(nodes: readonly NodeStatus[]): string {
  const bytes = (count: number | undefined): string =>
    count === undefined ? "-" : byteText(count);
  return table(
    [
      "NODE",
      "STATE",
      "UP",
      "PEERS",
      "PARTITIONS",
      "KEYS",
      "COMPARED",
      "DISK",
      "FREE",
      "ZONE",
      "HTTP",
      "GRPC",
    ],
    nodes.map(({ id, state, partitions, zone, http, grpc, facts, antiEntropy }) => [
      id,
      facts?.isRefilling === true && state === "ready" ? "refilling" : state,
      facts?.upSeconds === undefined ? "-" : durationText(facts.upSeconds * 1000),
      facts === undefined ? "-" : `${facts.peersReached} of ${facts.peers}`,
      partitions,
      facts?.keys ?? "-",
      antiEntropy === undefined ? "-" : durationText(antiEntropy.lagMs),
      bytes(facts?.diskBytes),
      bytes(facts?.availableBytes),
      zone || "-",
      http || "-",
      grpc || "-",
    ]),
  );
}

async function nodeStatus(
  pool: NodePool,
  member: ClusterMember,
  ring: RingView,
  timeoutMs: number,
): Promise<NodeStatus> {
  const { id, http, grpc = "", zone } = member;
  const partitions = ring.owners.filter((owners) => owners.includes(id)).length;
  const base = { id, http, grpc, zone, partitions };
  if (http === "") return { ...base, state: "unreachable", detail: "it has no HTTP door" };
  const node = new URL(`http://${http}`);
  const [ready, scraped, compared] = await Promise.all([
    pool.ask(node, { method: "GET", path: "/readyz" }, timeoutMs),
    scrapeMember(pool, member, timeoutMs),
    pool.ask(node, { method: "GET", path: "/v1/anti-entropy" }, timeoutMs),
  ]);
  if (!ready.ok) return { ...base, state: "unreachable", detail: ready.message };
  const known = {
    ...base,
    ...("metrics" in scraped && { facts: figuresOf(scraped.metrics) }),
    ...antiEntropyIn(compared),
  };
  if (ready.reply.status === 200) return { ...known, state: "ready", detail: "" };
  return { ...known, state: "not ready", detail: missingIn(ready.reply.body) };
}

function antiEntropyIn(answer: ExchangeResult): Pick<NodeStatus, "antiEntropy"> {
  if (!answer.ok || answer.reply.status !== 200) return {};
  return { antiEntropy: jsonOf("status", answer.reply) as AntiEntropyView };
}

function figuresOf(metrics: NodeMetrics): NodeFigures {
  const began = metrics.value("coterie_process_start_time_seconds");
  const now = metrics.value("coterie_wall_clock_seconds");
  const peers = metrics.samples("coterie_peer_reachable");
  return {
    engine: metrics.samples("coterie_data_info")[0]?.labels["engine"],
    version: metrics.samples("coterie_build_info")[0]?.labels["version"],
    upSeconds: began === undefined || now === undefined ? undefined : Math.max(0, now - began),
    peersReached: peers.filter(({ value }) => value === 1).length,
    peers: peers.length,
    keys: metrics.value("coterie_store_keys"),
    diskBytes: metrics.value("coterie_store_disk_bytes"),
    availableBytes: metrics.value("coterie_disk_available_bytes"),
    isRefilling: metrics.value("coterie_refilling") === 1,
    siblingsMax: metrics.value("coterie_siblings_max"),
    reapingBlocked: metrics
      .samples("coterie_reaping_blocked_partitions")
      .map(({ labels, value }) => ({
        node: labels["node"] ?? "",
        reason: labels["reason"] ?? "",
        partitions: value,
      })),
  };
}

/** Where strict requests cannot meet their quorums, bucket by bucket. */
function shortagesOf(
  buckets: readonly BucketView[],
  { owners }: RingView,
  serving: ReadonlySet<string>,
): readonly Shortage[] {
  return buckets.flatMap(({ name, n, r, w }) => {
    const copies = owners.map((list) => list.slice(0, n).filter((id) => serving.has(id)).length);
    const unreadable = copies.filter((count) => count < r).length;
    const unwritable = copies.filter((count) => count < w).length;
    return unreadable + unwritable === 0 ? [] : [{ bucket: name, unreadable, unwritable }];
  });
}

function shortageText({ bucket, unreadable, unwritable }: Shortage, { owners }: RingView): string {
  const of = `of ${owners.length} partitions`;
  return `bucket ${bucket}: no reads in ${unreadable} ${of}, no writes in ${unwritable}`;
}

function comparedJson(view: AntiEntropyView | undefined): object {
  if (view === undefined) return {};
  const { intervalMs, lagMs, oldest, repair } = view;
  return { antiEntropy: { intervalMs, lagMs, oldest, repair } };
}

/** What is worth saying of how a node compares its copies: a repair, and what is long overdue. */
function antiEntropyTexts(view: AntiEntropyView | undefined): readonly string[] {
  if (view === undefined) return [];
  const { intervalMs, lagMs, oldest, peers, repair } = view;
  const lines: string[] = [];
  if (repair?.state === "running") lines.push(`repairs: ${repairText(repair)}`);
  if (oldest !== null && intervalMs > 0 && lagMs > overdueIntervals * intervalMs) {
    const { partition, peer } = oldest;
    const problem = peers.find((each) => each.peer === peer)?.problem ?? "it is under way";
    const when = durationText(lagMs);
    lines.push(`has not compared partition ${partition} with ${peer} for ${when}: ${problem}`);
  }
  return lines;
}

/** The reasons as docs/internals/reaping.md has them. */
function blockedText(id: string, { node, reason, partitions }: ReapingBlocked): string {
  return `${id} keeps the tombstones of ${partitions} partitions because of ${node}: ${reason}`;
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
