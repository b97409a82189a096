import { KvClient, type ReadAnswer } from "./kv.ts";
import type { Ledger } from "./ledger.ts";
import type { Endpoint } from "./real-cluster.ts";

/** What reading everything back has shown. */
export interface Verification {
  readonly keys: number;
  readonly acknowledged: number;
  readonly reads: number;
  lost: number;
  corrupt: number;
  resurrected: number;
  unreadable: number;
  /** The first few, in words. */
  readonly examples: string[];
}

const inFlightMax = 48;
const examplesMax = 10;
/** A replica that a read has just repaired is asked again this often. */
const replicaAttempts = 40;

/** Runs `judge` for every item, a bounded number at a time. */
async function forEachBounded<Item>(
  items: readonly Item[],
  visit: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await visit(item);
  };
  await Promise.all(Array.from({ length: inFlightMax }, worker));
}

/**
 * Reads every key through every node, then from every replica's own copy, and holds all of it to
 * the ledger. A replica may lag behind what it has not been told yet; the reads before have
 * repaired it, so that soon its own copy must stand by itself.
 */
export async function verify(nodes: readonly Endpoint[], ledger: Ledger): Promise<Verification> {
  const { keys, acknowledged } = ledger;
  const result: Verification = {
    keys: keys.length,
    acknowledged,
    reads: keys.length * nodes.length * 2,
    lost: 0,
    corrupt: 0,
    resurrected: 0,
    unreadable: 0,
    examples: [],
  };
  const note = (where: string, key: string, read: ReadAnswer): void => {
    const example = (what: string): void => {
      if (result.examples.length < examplesMax) result.examples.push(`${key} ${where}: ${what}`);
    };
    if (read.values === undefined) {
      result.unreadable += 1;
      return example(
        `unreadable: ${read.answer.status} ${read.answer.error ?? read.answer.body.toString()}`,
      );
    }
    const { lost, corrupt, resurrected } = ledger.judge(key, read.values);
    result.lost += lost.length;
    result.corrupt += corrupt.length;
    result.resurrected += resurrected.length;
    if (lost.length > 0) example(`lost ${lost.join(", ")}`);
    if (corrupt.length > 0) example(`corrupt ${corrupt.join(", ")}`);
    if (resurrected.length > 0) example(`resurrected ${resurrected.join(", ")}`);
  };
  const client = new KvClient();
  const places = nodes.flatMap((node) => keys.map((key) => ({ node, key })));
  await forEachBounded(places, async ({ node, key }) => {
    note(`through ${node.id}`, key, await client.get(node.http, key));
  });
  await forEachBounded(places, async ({ node, key }) => {
    note(`in ${node.id}'s own copy`, key, await settledReplica(client, node, key, ledger));
  });
  client.close();
  return result;
}

async function settledReplica(
  client: KvClient,
  node: Endpoint,
  key: string,
  ledger: Ledger,
): Promise<ReadAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const read = await client.getReplica(node.http, key);
    const judgement = read.values === undefined ? undefined : ledger.judge(key, read.values);
    const isSettled = judgement?.lost.length === 0 && judgement.resurrected.length === 0;
    if (isSettled || attempt === replicaAttempts) return read;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
