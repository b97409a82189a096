import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Shape } from "./orders.ts";
import { ReplicaProcess } from "./replica-process.ts";

export interface PairInput {
  /** Where both nodes keep their data meanwhile. */
  readonly directory: string;
  readonly shape: Shape;
  /** That both hold; of `all` differing ones, that only one does. */
  readonly keys: number;
  readonly differing: readonly (number | "all")[];
  readonly onStep: (step: string) => void;
}

/** One exchange of all that two nodes share. */
export interface PairExchange {
  readonly partitions: number;
  readonly keys: number;
  readonly differing: number | "all";
  readonly roundTrips: number;
  readonly messages: number;
  readonly bytes: number;
  readonly recordBytes: number;
  readonly ms: number;
  /** Records that both nodes together have read, from the log or from memory. */
  readonly rowsRead: number;
  /** That the node without them has written into its log. */
  readonly bytesAppended: number;
  readonly keysExchanged: number;
  readonly isDone: boolean;
}

/**
 * Two nodes with a bucket of two copies. The second one is made to differ, and the first one
 * compares all with it and makes both equal. Where all keys are to differ, the first one is empty:
 * that comes first, and gives both what the others begin with.
 */
export async function measurePair(input: PairInput): Promise<readonly PairExchange[]> {
  const { shape, keys, differing, onStep } = input;
  const directory = mkdtempSync(join(input.directory, "anti-entropy-"));
  const replicas = await Promise.all([
    ReplicaProcess.open("n1", join(directory, "n1"), shape),
    ReplicaProcess.open("n2", join(directory, "n2"), shape),
  ]);
  const [first, second] = replicas;
  const addresses = replicas.map(({ address }) => address);
  try {
    onStep(`filling ${keys} keys, ${shape.partitions} partitions`);
    // The document first: a log without one is no node's.
    await Promise.all(replicas.map((each) => each.start(addresses)));
    await Promise.all(replicas.map((each) => each.stop()));
    const filled = differing.includes("all") ? [second] : replicas;
    await Promise.all(filled.map((each) => each.fill(keys)));
    await Promise.all(replicas.map((each) => each.start(addresses)));
    const exchanges: PairExchange[] = [];
    for (const count of inOrder(differing)) {
      onStep(`${count} differing`);
      if (count !== "all") await second.overwrite(count);
      exchanges.push(await exchangeOf(input, [first, second], count));
    }
    await Promise.all(replicas.map((each) => each.stop()));
    return exchanges.toSorted((left, right) => rank(left.differing) - rank(right.differing));
  } finally {
    for (const each of replicas) each.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** All first: after it both hold the same. */
function inOrder(differing: readonly (number | "all")[]): readonly (number | "all")[] {
  return differing.toSorted((left, right) => Number(right === "all") - Number(left === "all"));
}

function rank(differing: number | "all"): number {
  return differing === "all" ? Infinity : differing;
}

async function exchangeOf(
  { shape, keys }: PairInput,
  [first, second]: readonly [ReplicaProcess, ReplicaProcess],
  differing: number | "all",
): Promise<PairExchange> {
  const before = [await first.figures(), await second.figures()] as const;
  const { repair, traffic } = await first.repair();
  const after = [await first.figures(), await second.figures()] as const;
  const rowsRead =
    after[0].rowsRead - before[0].rowsRead + (after[1].rowsRead - before[1].rowsRead);
  return {
    ...traffic,
    partitions: shape.partitions,
    keys,
    differing,
    ms: repair.elapsedMs,
    rowsRead,
    bytesAppended: after[0].bytesAppended - before[0].bytesAppended,
    keysExchanged: repair.keysExchanged,
    isDone: repair.state === "done" && after[0].keys === after[1].keys,
  };
}
