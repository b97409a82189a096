import { withPool, type KeyOptions, type NodeOptions } from "../connect.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import { fetchJson, type RingView } from "../http/cluster.ts";
import { keyFromArgument, keySegment } from "../http/keys.ts";
import { table } from "../table.ts";

/** `coterie ring`: the owners of every partition. */
export function ring(options: NodeOptions): Promise<ExitCode> {
  return withPool(options, async (pool, terminal) => {
    const view = (await fetchJson(pool, "ring", "/v1/ring")) as RingView;
    if (options.json === true) {
      await terminal.data(`${JSON.stringify(view)}\n`);
      return exitCodes.ok;
    }
    const rows = view.owners.map((owners, partition) => [partition, owners.join(" ")]);
    await terminal.data(table(["PARTITION", "OWNERS, IN ORDER"], rows));
    const counts = new Map<string, number>();
    for (const id of view.owners.flat()) counts.set(id, (counts.get(id) ?? 0) + 1);
    const shares = [...counts].toSorted(byName).map(([id, count]) => `${id} ${count}`);
    terminal.say(
      `epoch ${view.epoch}; hash ${view.hash}; partitions per node: ${shares.join(", ")}`,
    );
    return exitCodes.ok;
  });
}

/** n2 before n10. */
function byName([left]: readonly [string, number], [right]: readonly [string, number]): number {
  return left.localeCompare(right, "en", { numeric: true });
}

/** One replica's own answer, as `GET /v1/explain/{bucket}/{key}` has it. */
interface ExplainedReplica {
  readonly node: string;
  readonly role: string;
  /** Of a fallback: the primary in whose place it takes writes now. */
  readonly standsInFor?: string;
  readonly state: string;
  /** Why it did not answer. */
  readonly reason?: string;
  /** One per sibling. */
  readonly dots?: readonly string[];
  readonly clock?: readonly string[];
  readonly digest?: string;
  readonly bytes?: number;
}

interface Explained {
  readonly bucket: string;
  readonly partition: number;
  readonly epoch: number;
  readonly token: string;
  readonly n: number;
  readonly replicas: readonly ExplainedReplica[];
}

/** `coterie explain KEY`: where a key is, and what each of its replicas holds now. */
export function explain(keyText: string, options: KeyOptions): Promise<ExitCode> {
  const key = keyFromArgument(keyText, options.key64 === true);
  return withPool(options, async (pool, terminal) => {
    const path = `/v1/explain/${options.bucket}/${keySegment(key)}`;
    const explained = (await fetchJson(pool, `explain ${keyText}`, path)) as Explained;
    if (options.json === true) {
      await terminal.data(`${JSON.stringify(explained)}\n`);
      return exitCodes.ok;
    }
    const { partition, epoch, token, n, replicas } = explained;
    await terminal.data(
      table(
        ["NODE", "ROLE", "STATE", "SIBLINGS", "BYTES", "DIGEST", "CLOCK"],
        replicas.map(({ node, role, standsInFor, state, reason, dots, bytes, digest, clock }) => [
          node,
          standsInFor === undefined ? role : `${role}, for ${standsInFor}`,
          reason === undefined ? state : `${state}: ${reason}`,
          dots?.length ?? "-",
          bytes ?? "-",
          digest ?? "-",
          clock?.join(" ") ?? "-",
        ]),
      ),
    );
    terminal.say(`partition ${partition} (token ${token}), n=${n}, epoch ${epoch}`);
    const primaries = replicas.filter(({ role }) => role === "primary");
    const digests = new Set(primaries.map(({ digest, state }) => digest ?? state));
    if (digests.size > 1) terminal.say("the replicas differ; a read repairs those it finds behind");
    return exitCodes.ok;
  });
}
