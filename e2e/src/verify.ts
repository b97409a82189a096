import { KvClient, type ReadAnswer } from "./kv.ts";
import type { Ledger } from "./ledger.ts";
import type { Endpoint } from "./real-cluster.ts";

/** What reading everything back has shown. */
export interface Verification {
  readonly keys: number;
  readonly acknowledged: number;
  reads: number;
  lost: number;
  corrupt: number;
  resurrected: number;
  unreadable: number;
  /** The first few, in words. */
  readonly examples: string[];
}

const inFlightMax = 48;
const examplesMax = 10;
/** For how long, over all, replicas that were not told yet are asked again. */
const patienceMsMost = 20_000;
const againMs = 50;

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
 * Reads every key from every copy, then through every node, and holds all of it to the
 * ledger. A replica may lag behind what it has not been told yet; it is told without anybody
 * reading, so that soon its own copy must stand by itself.
 */
export async function verify(
  nodes: readonly Endpoint[],
  ledger: Ledger,
  patienceMs: number = patienceMsMost,
): Promise<Verification> {
  const deadlineMs = performance.now() + patienceMs;
  const { keys, acknowledged } = ledger;
  const result: Verification = {
    keys: keys.length,
    acknowledged,
    reads: 0,
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
  const holders = await holdersOf(client, nodes, keys);
  const copies = places.filter(({ node, key }) => holders.get(key)?.includes(node.id));
  result.reads = copies.length + places.length;
  await forEachBounded(copies, async ({ node, key }) => {
    const read = await settledReplica(client, { node, key, ledger, deadlineMs });
    note(`in ${node.id}'s own copy`, key, read);
  });
  await forEachBounded(places, async ({ node, key }) => {
    note(`through ${node.id}`, key, await client.get(node.http, key));
  });
  client.close();
  return result;
}

/** Of each key, the nodes that are to hold a copy. */
async function holdersOf(
  client: KvClient,
  nodes: readonly Endpoint[],
  keys: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const holders = new Map<string, readonly string[]>();
  const [first] = nodes;
  if (first === undefined) return holders;
  await forEachBounded(keys, async (key) => {
    holders.set(key, await client.getHolders(first.http, key));
  });
  return holders;
}

async function settledReplica(
  client: KvClient,
  {
    node,
    key,
    ledger,
    deadlineMs,
  }: {
    readonly node: Endpoint;
    readonly key: string;
    readonly ledger: Ledger;
    readonly deadlineMs: number;
  },
): Promise<ReadAnswer> {
  for (;;) {
    const read = await client.getReplica(node.http, key);
    const judgement = read.values === undefined ? undefined : ledger.judge(key, read.values);
    const isSettled = judgement?.lost.length === 0 && judgement.resurrected.length === 0;
    if (isSettled || performance.now() >= deadlineMs) return read;
    await new Promise((resolve) => setTimeout(resolve, againMs));
  }
}
