import { withPool, type NodeOptions } from "../connect.ts";
import { CliFailure, exitCodes, type ExitCode } from "../exit.ts";
import { DEFAULT_TIMEOUT_MS } from "../http/bucket-client.ts";
import { fetchJson, sortedMembers, type ClusterView, type RingView } from "../http/cluster.ts";
import type { NodePool } from "../http/node-pool.ts";
import { NodeRepair } from "../repair/node-repair.ts";
import { repairText } from "../repair/repair-text.ts";
import { byteText, durationText, table } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { showLine } from "../transfer/progress-line.ts";

/** Options of `coterie repair`; either partitions or all. */
export interface RepairOptions extends NodeOptions {
  readonly partition?: readonly number[];
  readonly all?: boolean;
  /** Ids of the nodes that repair; every owner if left out. */
  readonly replica?: readonly string[];
}

/**
 * `coterie repair`: has every owner of the partitions compare its copies with all others, one node
 * after the other: after the first has all there is, the next ones have little left to do. Exits 1
 * unless all copies were made equal.
 */
export function repair(options: RepairOptions): Promise<ExitCode> {
  const { partition, all, timeout } = options;
  if ((partition === undefined) === (all !== true)) {
    const what = "repair takes either --all or --partition NUMBER";
    throw new CliFailure(exitCodes.usage, what);
  }
  return withPool(options, async (pool, terminal) => {
    let isInterrupted = false;
    const stop = (): void => {
      isInterrupted = true;
    };
    const targets = await targetsOf(pool, options);
    const repairs = targets.map(
      (target) =>
        new NodeRepair({
          ...target,
          pool,
          timeoutMs: timeout ?? DEFAULT_TIMEOUT_MS,
          isInterrupted: () => isInterrupted,
        }),
    );
    process.once("SIGINT", stop).once("SIGTERM", stop);
    for (const each of repairs) {
      const progress = showLine(terminal, () => `${each.id}: ${repairText(each.repair)}`);
      try {
        if (!isInterrupted) await each.run();
      } finally {
        progress.stop();
      }
    }
    process.off("SIGINT", stop).off("SIGTERM", stop);
    return report(terminal, repairs, options.json === true);
  });
}

interface Target {
  readonly id: string;
  readonly http: string;
  readonly partitions: readonly number[] | "all";
}

/** Who is to repair what: every owner of a partition that was named, or those asked for. */
async function targetsOf(
  pool: NodePool,
  { partition, replica }: RepairOptions,
): Promise<readonly Target[]> {
  const cluster = (await fetchJson(pool, "repair", "/v1/cluster")) as ClusterView;
  const { owners } = (await fetchJson(pool, "repair", "/v1/ring")) as RingView;
  const wrong = partition?.find((each) => each >= owners.length);
  if (wrong !== undefined) {
    const why = `there is no partition ${wrong}: they are 0 to ${owners.length - 1}`;
    throw new CliFailure(exitCodes.notFound, why);
  }
  const members = sortedMembers(cluster);
  const stranger = replica?.find((id) => !members.some((member) => member.id === id));
  if (stranger !== undefined) {
    const known = members.map(({ id }) => id).join(", ");
    throw new CliFailure(exitCodes.notFound, `there is no node ${stranger}`, `one of ${known}`);
  }
  return members.flatMap(({ id, http }): readonly Target[] => {
    if (replica?.includes(id) === false) return [];
    if (partition === undefined) return [{ id, http, partitions: "all" }];
    const own = partition.filter((each) => owners[each]?.includes(id) === true);
    return own.length === 0 ? [] : [{ id, http, partitions: own }];
  });
}

async function report(
  terminal: Terminal,
  repairs: readonly NodeRepair[],
  isJson: boolean,
): Promise<ExitCode> {
  const isDone = repairs.length > 0 && repairs.every((each) => each.isDone);
  if (isJson) {
    const nodes = repairs.map(({ id, repair: view, problem }) => {
      return { node: id, repair: view ?? null, problem: problem ?? null };
    });
    await terminal.data(`${JSON.stringify({ isDone, nodes })}\n`);
  } else await terminal.data(table(header, repairs.map(rowOf)));
  for (const { id, repair: view, problem } of repairs) {
    const notDone = view === undefined ? "has not repaired" : "is not known to have repaired";
    if (problem !== undefined) terminal.say(`${id} ${notDone}: ${problem}`);
    for (const failure of view?.failures ?? []) {
      const what = `${failure.partitions} partitions, of which it may hold something else`;
      terminal.say(`${id} has not compared with ${failure.peer} ${what}: ${failure.problem}`);
    }
  }
  if (repairs.length === 0) terminal.say("none of these nodes owns any of these partitions");
  return isDone ? exitCodes.ok : exitCodes.failure;
}

const header = ["NODE", "RESULT", "PARTITIONS", "COMPARED", "EXCHANGED", "BYTES", "TIME"];

function rowOf({ id, repair: view, problem }: NodeRepair): readonly (string | number)[] {
  if (view === undefined) return [id, problem === undefined ? "not begun" : "failed"];
  return [
    id,
    problem === undefined ? view.state : "unknown",
    `${view.partitionsDone} of ${view.partitions}`,
    view.keysCompared,
    view.keysExchanged,
    byteText(view.bytes),
    durationText(view.elapsedMs),
  ];
}
