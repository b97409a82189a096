import type { Ledger } from "./ledger.ts";
import { Load, type LoadFailure } from "./load.ts";
import type { RealCluster } from "./real-cluster.ts";
import { type Verification, verify } from "./verify.ts";

/** Something that befalls a running cluster, and its end. */
export interface Fault {
  readonly name: string;
  /** Nodes that may fail meanwhile: those that cannot reach a quorum, or are gone. */
  readonly excused: readonly string[];
  /** Nodes that nobody asks meanwhile, since they would not answer. */
  readonly silent: readonly string[];
  readonly inflict: (cluster: RealCluster, load: Load) => Promise<void>;
  readonly heal: (cluster: RealCluster) => Promise<void>;
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

/** Lets a fault befall a cluster under load, heals it, and holds every copy to the ledger. */
export async function faultRound(
  cluster: RealCluster,
  ledger: Ledger,
  fault: Fault,
): Promise<FaultReport> {
  const { name, excused, silent } = fault;
  const load = new Load(cluster.endpoints, ledger, name.replaceAll(/\W/gu, "-"));
  try {
    await load.untilBusy(writesBefore);
    load.excuse(...excused);
    load.takeOut(...silent);
    await fault.inflict(cluster, load);
    await load.untilAcknowledged(writesMeanwhile);
    await fault.heal(cluster);
    load.hold(...excused);
    load.putBack(...silent);
    await load.untilAcknowledged(writesAfter);
  } finally {
    await load.stop();
  }
  const verification = await verify(cluster.endpoints, ledger);
  return { name, failures: load.failures, verification };
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

const nothing = (): Promise<void> => Promise.resolve();

/** A node is cut off from all others: it cannot serve, and they can. */
export function cutOff(id: string): Fault {
  return {
    name: `${id} is cut off`,
    excused: [id],
    silent: [],
    inflict: (cluster) => cluster.cut([[id]]),
    heal: (cluster) => cluster.heal(),
  };
}

/** One link is cut, both ways or one: everybody reaches a quorum still. */
export function cutLink(from: string, to: string, isOneWay: boolean): Fault {
  return {
    name: isOneWay ? `what ${from} sends to ${to} is lost` : `${from} and ${to} are cut`,
    excused: [],
    silent: [],
    inflict: (cluster) => cluster.cut([[from], [to]], { isOneWay }),
    heal: (cluster) => cluster.heal(),
  };
}

/** A node is cut off and reached again, several times. */
export function flapping(id: string, times: number): Fault {
  return {
    name: `${id} flaps`,
    excused: [id],
    silent: [],
    inflict: async (cluster, load) => {
      for (let time = 0; time < times; time += 1) {
        await cluster.cut([[id]]);
        await load.untilAcknowledged(writesMeanwhile / times);
        await cluster.heal();
        await load.untilAcknowledged(writesMeanwhile / times);
      }
    },
    heal: nothing,
  };
}
