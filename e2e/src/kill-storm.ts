import { setTimeout as sleep } from "node:timers/promises";
import { Ledger } from "./ledger.ts";
import { Load, type LoadFailure } from "./load.ts";
import type { RealCluster } from "./real-cluster.ts";
import { type Verification, verify } from "./verify.ts";

export interface KillStormReport {
  readonly kills: number;
  /** For each round, the writes acknowledged in the second before its kills. */
  readonly acknowledgedBefore: readonly number[];
  /** Operations sent to living nodes that failed. */
  readonly failures: readonly LoadFailure[];
  /** After every round, all that was ever written is read back. */
  readonly verifications: readonly Verification[];
}

/** Writes acknowledged in the second before a kill, at least. */
const busyWrites = 200;
/** Long enough that the others must serve alone, and notice that they do. */
const aloneMs = 700;
const afterwardsMs = 200;

/**
 * Kills nodes under load: in turn one node, the node that all load goes to at that moment, and all
 * nodes at once. After every round each key is read through every node, and from every replica's
 * own copy.
 */
export async function killStorm(
  cluster: RealCluster,
  rounds: number,
  say: (line: string) => void,
): Promise<KillStormReport> {
  const ids = cluster.endpoints.map(({ id }) => id);
  const ledger = new Ledger();
  const acknowledgedBefore: number[] = [];
  const failures: LoadFailure[] = [];
  const verifications: Verification[] = [];
  let kills = 0;
  for (let round = 0; round < rounds; round += 1) {
    const kind = (["one node", "the coordinator in use", "all nodes"] as const)[round % 3];
    const victims = kind === "all nodes" ? ids : [ids[round % ids.length] ?? ""];
    const load = new Load(cluster.endpoints, ledger, `${round}`);
    if (kind === "the coordinator in use") {
      load.takeOut(...ids.filter((id) => !victims.includes(id)));
    }
    const before = await load.untilBusy(busyWrites);
    load.putBack(...ids);
    load.takeOut(...victims);
    await cluster.kill(...victims);
    kills += victims.length;
    await sleep(aloneMs);
    await cluster.revive(...victims);
    load.putBack(...victims);
    await sleep(afterwardsMs);
    await load.stop();
    const verification = await verify(cluster.endpoints, ledger);
    acknowledgedBefore.push(before);
    failures.push(...load.failures);
    verifications.push(verification);
    say(`${round + 1}. killed ${kind} at ${before} writes/s: ${describe(verification)}`);
  }
  return { kills, acknowledgedBefore, failures, verifications };
}

/** What the report holds against the cluster, in words; nothing if all is well. */
export function problemsOf(report: KillStormReport): readonly string[] {
  const { acknowledgedBefore, failures, verifications } = report;
  const least = Math.min(...acknowledgedBefore);
  return [
    ...(least < busyWrites ? [`only ${least} writes in the second before a kill`] : []),
    ...failures.map(
      ({ node, operation, status, detail }) => `${operation} at ${node}: ${status} ${detail}`,
    ),
    ...verifications.flatMap(({ lost, corrupt, resurrected, unreadable, examples }) =>
      lost + corrupt + resurrected + unreadable > 0 ? examples : [],
    ),
  ];
}

function describe(verification: Verification): string {
  const { keys, acknowledged, reads, lost, corrupt, resurrected, unreadable } = verification;
  return (
    `${acknowledged} acknowledged writes to ${keys} keys, ${reads} answers checked: ` +
    `${lost} lost, ${corrupt} corrupt, ${resurrected} resurrected, ${unreadable} unreadable`
  );
}
