import { Coterie } from "@coterie/client";
import { type Endpoint, RealCluster } from "@coterie/e2e";
import { setTimeout as sleep } from "node:timers/promises";
import { debtsOf } from "../measure/hint-debts.ts";
import { PipeDriver } from "../drivers/pipe-driver.ts";

export interface DeliverInput {
  readonly directory: string;
  readonly nodes: number;
  /** Written while a node is away. */
  readonly keys: number;
}

export interface Delivery {
  readonly nodes: number;
  readonly keys: number;
  /** Records owed to the node when it came back; two of them may be of one key. */
  readonly owed: number;
  /** From its start until it serves. */
  readonly readyMs: number;
  /** From then until nobody owes it a record. */
  readonly doneMs: number;
  /** From the first record that it acknowledged to the last. */
  readonly perSecond: number;
}

const victim = "n2";
const valueBytes = 100;
const inFlight = 128;
const pollMs = 20;

/** Kills a node, writes keys, lets it come back, and watches until it has them. */
export async function deliver({ directory, nodes, keys }: DeliverInput): Promise<Delivery> {
  const shape = ["--nodes", `${nodes}`];
  const cluster = await RealCluster.start({ parent: directory, arguments: shape });
  try {
    const others = cluster.endpoints.filter(({ id }) => id !== victim);
    await cluster.kill(victim);
    await write(others, keys);
    const owed = await owedBy(others);
    const startMs = performance.now();
    let readyMs = Number.POSITIVE_INFINITY;
    const revival = cluster.revive(victim).then(() => {
      readyMs = performance.now() - startMs;
    });
    let firstMs: number | undefined;
    for (let left = owed; left > 0;) {
      await sleep(pollMs);
      left = await owedBy(others);
      if (left < owed) firstMs ??= performance.now();
    }
    const endMs = performance.now();
    await revival;
    const doneMs = Math.max(0, endMs - startMs - readyMs);
    const seconds = Math.max(pollMs, endMs - (firstMs ?? endMs)) / 1000;
    return { nodes, keys, owed, readyMs, doneMs, perSecond: owed / seconds };
  } finally {
    await cluster.stop();
  }
}

async function write(others: readonly Endpoint[], keys: number): Promise<void> {
  const driver = PipeDriver.over(new Coterie({ nodes: others.map(({ grpc }) => grpc) }));
  const value = Buffer.alloc(valueBytes, "x");
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let key = next++; key < keys; key = next++) {
      const error = await new Promise<string | undefined>((resolve) => {
        driver.put(`key-${key}`, value, undefined, (answer) => resolve(answer.error));
      });
      if (error !== undefined) throw new Error(`a put failed: ${error}`);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  await driver.close();
}

/** Records that these nodes owe to the victim, as they say. */
async function owedBy(others: readonly Endpoint[]): Promise<number> {
  const debts = await debtsOf(others.map(({ http }) => http));
  return debts.reduce((sum, { target, records }) => sum + (target === victim ? records : 0), 0);
}
