import { jsonOf } from "../http/cluster.ts";
import { reportedFailure } from "../http/failure.ts";
import type { NodePool } from "../http/node-pool.ts";
import type { OwnMoves, TopologyMemberView, TopologyView } from "../http/topology.ts";
import { durationText } from "../table.ts";

/**
 * How far each member is that gets or drops copies, a line each, as it says itself; or why it does
 * not say.
 */
export async function ownProgress(
  pool: NodePool,
  { members }: TopologyView,
  timeoutMs: number,
): Promise<readonly string[]> {
  const busy = members.filter(
    ({ awaits, leftovers, departure }) => departure !== "removed" && awaits + leftovers > 0,
  );
  const lines = await Promise.all(busy.map((member) => linesOf(pool, member, timeoutMs)));
  return lines.flat();
}

async function linesOf(
  pool: NodePool,
  { id, http }: TopologyMemberView,
  timeoutMs: number,
): Promise<readonly string[]> {
  if (http === "") return [`${id} has no HTTP door to say how far it is`];
  const request = { method: "GET", path: "/v1/topology" } as const;
  const answer = await pool.ask(new URL(`http://${http}`), request, timeoutMs);
  if (!answer.ok) return [`${id} does not say how far it is: ${answer.message}`];
  if (answer.reply.status !== 200) {
    return [`${id} does not say how far it is: ${reportedFailure(answer.reply).message}`];
  }
  const { own } = jsonOf("topology", answer.reply) as TopologyView;
  return own === null ? [] : [progressOf(id, own), ...problemsOf(id, own)];
}

function progressOf(id: string, own: OwnMoves): string {
  const { awaited, leftover, exchanges, exchangesDone, keysPerSecond, etaMs } = own;
  const parts = [
    ...(awaited > 0 ? [`gets ${awaited} partitions`] : []),
    ...(leftover > 0 ? [`drops ${leftover}`] : []),
    `${exchangesDone} of ${exchanges} exchanges`,
    `${keysPerSecond} keys/s`,
    ...(etaMs === null ? [] : [`${durationText(etaMs)} left`]),
  ];
  return `${id} ${parts.join("  ")}`;
}

function problemsOf(id: string, { problems }: OwnMoves): readonly string[] {
  return problems.map(({ peer, problem, partitions }) => {
    return `${id} waits for ${peer} (${problem}): ${partitions} partitions`;
  });
}
