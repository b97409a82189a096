import { setTimeout as sleep } from "node:timers/promises";
import { KvClient } from "./kv.ts";
import type { Ledger } from "./ledger.ts";
import { Load, type LoadFailure } from "./load.ts";
import type { Endpoint } from "./real-cluster.ts";
import { type Verification, verify } from "./verify.ts";

/** A cluster as far as its links matter. */
export interface CutCluster {
  readonly endpoints: readonly Endpoint[];
  cut(groups: readonly (readonly string[])[], way?: { readonly isOneWay: boolean }): Promise<void>;
  heal(): Promise<void>;
}

/** Something that befalls a running cluster, and its end. */
export interface Fault<Cluster extends CutCluster = CutCluster> {
  readonly name: string;
  /** Nodes that may fail meanwhile: those that cannot reach a quorum, or are gone. */
  readonly excused: readonly string[];
  /** Nodes that nobody asks meanwhile, since they would not answer. */
  readonly silent: readonly string[];
  readonly inflict: (cluster: Cluster, load: Load) => Promise<void>;
  readonly heal: (cluster: Cluster) => Promise<void>;
}

export interface FaultReport {
  readonly name: string;
  /** Operations that failed at nodes which should have served. */
  readonly failures: readonly LoadFailure[];
  /** All that was ever written, read back through every node and from every copy. */
  readonly verification: Verification;
}

/** Writes acknowledged in the second before the fault; during it, and after it, so many more. */
const writesBefore = 200;
const writesMeanwhile = 400;
const writesAfter = 200;
const patienceMs = 60_000;

/** Lets a fault befall a cluster under load, heals it, and holds every copy to the ledger. */
export async function faultRound<Cluster extends CutCluster>(
  cluster: Cluster,
  ledger: Ledger,
  fault: Fault<Cluster>,
): Promise<FaultReport> {
  const { name, excused, silent } = fault;
  const load = new Load(cluster.endpoints, ledger, name.replaceAll(/\W/gu, "-"));
  try {
    await load.untilBusy(writesBefore);
    load.excuse(...excused);
    load.takeOut(...silent);
    await fault.inflict(cluster, load);
    // If nobody is asked, nothing is acknowledged.
    if (silent.length < cluster.endpoints.length) await load.untilAcknowledged(writesMeanwhile);
    await fault.heal(cluster);
    const away = cluster.endpoints.filter(({ id }) => [...excused, ...silent].includes(id));
    for (const node of away) await untilServes(node);
    load.hold(...excused);
    load.putBack(...silent);
    await load.untilAcknowledged(writesAfter);
  } finally {
    await load.stop();
  }
  const verification = await verify(cluster.endpoints, ledger);
  return { name, failures: load.failures, verification };
}

/** What was on its way when a network was healed is sent again after a while, and not at once. */
async function untilServes({ id, http }: Endpoint): Promise<void> {
  const client = new KvClient();
  const endMs = performance.now() + patienceMs;
  while ((await client.put(http, "served-again", id)).status !== 204) {
    if (performance.now() > endMs) throw new Error(`${id} does not serve again`);
    await sleep(25);
  }
  client.close();
}

/** What a report holds against the cluster, in words; nothing if all is well. */
export function faultProblems({ failures, verification }: FaultReport): readonly string[] {
  const { lost, corrupt, resurrected, unreadable, examples } = verification;
  return [
    ...failures.map(
      ({ node, operation, status, detail }) => `${operation} at ${node}: ${status} ${detail}`,
    ),
    ...(lost + corrupt + resurrected + unreadable > 0 ? examples : []),
  ];
}
