import { setTimeout as sleep } from "node:timers/promises";
import { type HttpAnswer, HttpClient } from "./http-client.ts";
import { Ledger } from "./ledger.ts";
import type { Endpoint, RealCluster } from "./real-cluster.ts";
import { type WriterFailure, Writers, pathOf } from "./writers.ts";

export interface KillStormReport {
  readonly kills: number;
  /** For each kill, the writes acknowledged in the second before it. */
  readonly acknowledgedBefore: readonly number[];
  readonly acknowledged: number;
  readonly keys: number;
  /** Answers checked: every key through every node, and every replica's own copy. */
  readonly checked: number;
  readonly lost: readonly string[];
  readonly corrupt: readonly string[];
  /** Operations sent to living nodes that failed. */
  readonly failures: readonly WriterFailure[];
}

/** Writes acknowledged in the second before a kill, at least. */
const busyWrites = 200;

/**
 * Kills nodes under load, `rounds` times: in turn one node, the one whose door is used the most,
 * and all at once; then reads every key through every node and from every replica's own copy.
 */
export async function killStorm(cluster: RealCluster, rounds: number): Promise<KillStormReport> {
  const ledger = new Ledger();
  const writers = new Writers(ledger, cluster.doors);
  const acknowledgedBefore: number[] = [];
  writers.start(24);
  let kills = 0;
  for (let round = 0; round < rounds; round += 1) {
    acknowledgedBefore.push(await writers.untilBusy(busyWrites));
    const victims = victimsOf(cluster, round);
    for (const { http } of victims) writers.takeOut(http);
    for (const { id } of victims) cluster.kill(id);
    kills += victims.length;
    // Long enough that the others must serve alone, and notice that they do.
    await sleep(500);
    await Promise.all(victims.map(({ id }) => cluster.revive(id)));
    for (const { http } of victims) writers.putBack(http);
  }
  await writers.untilBusy(busyWrites);
  await writers.stop();
  const verdict = await checkAll(cluster, ledger);
  const { acknowledged, keys } = ledger.counts;
  return { kills, acknowledgedBefore, acknowledged, keys, failures: writers.failures, ...verdict };
}

/** Two rounds kill one node, the third kills all: every node is a coordinator in use. */
function victimsOf({ endpoints }: RealCluster, round: number): readonly Endpoint[] {
  if (round % 3 === 2) return endpoints;
  return [endpoints[round % endpoints.length] as Endpoint];
}

type Verdict = Pick<KillStormReport, "checked" | "lost" | "corrupt">;

async function checkAll(cluster: RealCluster, ledger: Ledger): Promise<Verdict> {
  const client = new HttpClient();
  const lost: string[] = [];
  const corrupt: string[] = [];
  let checked = 0;
  const check = (key: string, where: string, answer: HttpAnswer): void => {
    checked += 1;
    const values = valuesOf(answer);
    const verdict = values === undefined ? "corrupt" : ledger.judge(key, values);
    const detail = `${key} ${where}: ${answer.status} [${values?.join(", ")}]`;
    if (verdict === "lost") lost.push(detail);
    if (verdict === "corrupt") corrupt.push(detail);
  };
  const headers = { Accept: "application/json" };
  for (const key of ledger.keys()) {
    for (const { id, http } of cluster.endpoints) {
      check(key, `through ${id}`, await client.send(http, "GET", pathOf(key), { headers }));
    }
    // A read of all replicas repairs those that were dead meanwhile: then each own copy counts.
    const [first] = cluster.doors;
    await client.send(first as string, "GET", `${pathOf(key)}?r=${cluster.doors.length}`);
    for (const { id, http } of cluster.endpoints) {
      const path = `/v1/replica/default/${encodeURIComponent(key)}`;
      check(key, `own copy of ${id}`, await client.send(http, "GET", path, { headers }));
    }
  }
  client.close();
  return { checked, lost, corrupt };
}

/** Values of a JSON answer; `undefined` if it is no such answer. */
function valuesOf({ status, body }: HttpAnswer): readonly string[] | undefined {
  if (status === 404) return [];
  if (status !== 200 && status !== 300) return undefined;
  const { siblings } = JSON.parse(body.toString()) as { siblings: readonly { value: string }[] };
  return siblings.map(({ value }) => Buffer.from(value, "base64").toString());
}

/** The lines a test prints of a storm. */
export function describeStorm(report: KillStormReport): string {
  const least = Math.min(...report.acknowledgedBefore);
  return (
    `${report.kills} SIGKILLs, at least ${least} acknowledged writes in the second before each; ` +
    `${report.acknowledged} acknowledged writes to ${report.keys} keys, ` +
    `${report.checked} answers checked: ${report.lost.length} lost, ` +
    `${report.corrupt.length} corrupt, ${report.failures.length} failed at living nodes`
  );
}
