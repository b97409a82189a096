import { withPool, type NodeOptions } from "../connect.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import { fetchJson, jsonOf, sortedMembers } from "../http/cluster.ts";
import type { ClusterMember, ClusterView } from "../http/cluster.ts";
import type { NodePool } from "../http/node-pool.ts";
import { byteText, durationText, table } from "../table.ts";

/** What one node owes to another, as `GET /v1/hints` shows it. */
interface DebtView {
  readonly target: string;
  readonly kind: string;
  readonly records: number;
  readonly bytes: number | null;
  readonly dirtyPartitions: number;
  readonly state: string;
  readonly recordsPerSecond: number;
  readonly etaMs: number | null;
  readonly ageMs: number;
}

interface NodeDebts {
  readonly node: string;
  readonly debts: readonly DebtView[];
  /** Why the node did not say. */
  readonly problem?: string;
}

const NODE_TIMEOUT_MS = 2000;

/** `coterie hints`: what every node owes to others; not 0 if some node does not say. */
export function hints(options: NodeOptions): Promise<ExitCode> {
  return withPool(options, async (pool, terminal) => {
    const timeoutMs = options.timeout ?? NODE_TIMEOUT_MS;
    const cluster = (await fetchJson(pool, "hints", "/v1/cluster")) as ClusterView;
    const nodes = await Promise.all(
      sortedMembers(cluster).map((member) => debtsOf(pool, member, timeoutMs)),
    );
    const silent = nodes.filter(({ problem }) => problem !== undefined);
    if (options.json === true) await terminal.data(`${JSON.stringify({ nodes })}\n`);
    else {
      const rows = nodes.flatMap(({ node, debts }) => debts.map((debt) => rowOf(node, debt)));
      if (rows.length > 0) await terminal.data(table(header, rows));
      else terminal.say(silent.length === 0 ? "nobody owes anything" : "nothing that is known");
    }
    for (const { node, problem } of silent) terminal.say(`${node} does not say: ${problem}`);
    return silent.length === 0 ? exitCodes.ok : exitCodes.failure;
  });
}

const header = [
  "NODE",
  "TARGET",
  "KIND",
  "RECORDS",
  "BYTES",
  "DIRTY PARTITIONS",
  "STATE",
  "RATE/S",
  "ETA",
  "FOR",
];

function rowOf(node: string, debt: DebtView): readonly (string | number)[] {
  return [
    node,
    debt.target,
    debt.kind,
    debt.records,
    debt.bytes === null ? "-" : byteText(debt.bytes),
    debt.dirtyPartitions,
    debt.state,
    debt.state === "waiting" ? "-" : Math.round(debt.recordsPerSecond),
    debt.etaMs === null ? "-" : durationText(debt.etaMs),
    durationText(debt.ageMs),
  ];
}

async function debtsOf(
  pool: NodePool,
  { id, http }: ClusterMember,
  timeoutMs: number,
): Promise<NodeDebts> {
  const none = { node: id, debts: [] };
  if (http === "") return { ...none, problem: "it has no HTTP door" };
  const request = { method: "GET", path: "/v1/hints" } as const;
  const answer = await pool.ask(new URL(`http://${http}`), request, timeoutMs);
  if (!answer.ok) return { ...none, problem: answer.message };
  if (answer.reply.status !== 200) {
    return { ...none, problem: `it answered ${answer.reply.status}` };
  }
  const { debts } = jsonOf("hints", answer.reply) as { readonly debts: readonly DebtView[] };
  return { node: id, debts };
}
