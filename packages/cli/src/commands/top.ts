import { setTimeout as sleep } from "node:timers/promises";
import { withPool, type NodeOptions } from "../connect.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import { fetchJson, sortedMembers, type ClusterView } from "../http/cluster.ts";
import type { NodePool } from "../http/node-pool.ts";
import { nodeRates, type NodeRates } from "../metrics/node-rates.ts";
import { scrapeMember, type Scraped } from "../metrics/scrape-cluster.ts";
import { byteText, table } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { type HotOperation, hotKeys, hotKeysJson, hotKeysText } from "./hot-keys.ts";

/** Options of `coterie top`. */
export interface TopOptions extends NodeOptions {
  /** Print one table and end. */
  readonly once?: boolean;
  /** Seconds between two looks. */
  readonly interval: number;
  /** The keys that are read most, in place of the nodes. */
  readonly reads?: boolean;
  /** The keys that are written most. */
  readonly writes?: boolean;
}

/** One line of the table; without rates the node did not answer twice in a row. */
interface TopRow {
  readonly id: string;
  readonly rates: NodeRates | undefined;
  readonly reason: string | undefined;
}

const answerMs = 2000;
const clearScreen = "\u001B[H\u001B[J";

/** `coterie top`: what every node does, now. */
export function top(options: TopOptions): Promise<ExitCode> {
  return withPool(options, async (pool, terminal) => {
    const operations = operationsOf(options);
    if (operations.length > 0) return topKeys(pool, terminal, options, operations);
    const isLive = terminal.isDataInteractive && options.json !== true && options.once !== true;
    const stop = new AbortController();
    const onSignal = (): void => stop.abort();
    process.once("SIGINT", onSignal);
    let cluster = (await fetchJson(pool, "top", "/v1/cluster")) as ClusterView;
    let before = new Map<string, Scraped>();
    for (let look = 0; !stop.signal.aborted; look += 1) {
      const { rows, after } = await lookAt(pool, cluster, before, options.timeout ?? answerMs);
      before = after;
      if (look > 0) {
        const text = options.json === true ? `${JSON.stringify(jsonOf(rows))}\n` : textOf(rows);
        const head = `${clearScreen}coterie top, epoch ${cluster.epoch}; Ctrl-C ends it\n\n`;
        await terminal.data(isLive ? head + text : text);
        if (options.once === true) break;
      }
      cluster = await latestCluster(pool, cluster);
      await sleep(options.interval * 1000, undefined, { signal: stop.signal }).catch(
        () => undefined,
      );
    }
    process.off("SIGINT", onSignal);
    return exitCodes.ok;
  });
}

function operationsOf({ reads, writes }: TopOptions): readonly HotOperation[] {
  return [
    ...(reads === true ? ["reads" as const] : []),
    ...(writes === true ? ["writes" as const] : []),
  ];
}

/** Which keys clients ask the whole cluster for most, of the last seconds. */
async function topKeys(
  pool: NodePool,
  terminal: Terminal,
  options: TopOptions,
  operations: readonly HotOperation[],
): Promise<ExitCode> {
  const isLive = terminal.isDataInteractive && options.json !== true && options.once !== true;
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once("SIGINT", onSignal);
  while (!stop.signal.aborted) {
    const view = await hotKeys(pool, options.timeout);
    const text =
      options.json === true
        ? `${JSON.stringify(hotKeysJson(view, operations))}\n`
        : operations.map((operation) => hotKeysText(view, operation)).join("\n");
    await terminal.data(isLive ? `${clearScreen}coterie top; Ctrl-C ends it\n\n${text}` : text);
    if (options.once === true) break;
    await sleep(options.interval * 1000, undefined, { signal: stop.signal }).catch(() => undefined);
  }
  process.off("SIGINT", onSignal);
  return exitCodes.ok;
}

/** The cluster as it is now, or was when a node last said so: a dead one must not end the view. */
async function latestCluster(pool: NodePool, last: ClusterView): Promise<ClusterView> {
  try {
    return (await fetchJson(pool, "top", "/v1/cluster", answerMs)) as ClusterView;
  } catch {
    return last;
  }
}

/** Asks every member once, and compares with what it said before. */
async function lookAt(
  pool: NodePool,
  cluster: ClusterView,
  before: ReadonlyMap<string, Scraped>,
  timeoutMs: number,
): Promise<{ rows: readonly TopRow[]; after: Map<string, Scraped> }> {
  const after = new Map<string, Scraped>();
  const rows = await Promise.all(
    sortedMembers(cluster).map(async (member): Promise<TopRow> => {
      const { id } = member;
      const scraped = await scrapeMember(pool, member, timeoutMs);
      if ("reason" in scraped) return { id, rates: undefined, reason: scraped.reason };
      after.set(id, scraped);
      const last = before.get(id);
      if (last === undefined) return { id, rates: undefined, reason: "it has just answered" };
      return { id, rates: nodeRates(last, scraped), reason: undefined };
    }),
  );
  return { rows, after };
}

const columns: readonly (readonly [title: string, of: (rates: NodeRates) => string])[] = [
  ["GET/s", ({ getsPerSecond }) => count(getsPerSecond)],
  ["p50", ({ getP50Ms }) => time(getP50Ms)],
  ["p99", ({ getP99Ms }) => time(getP99Ms)],
  ["PUT/s", ({ putsPerSecond }) => count(putsPerSecond)],
  ["p50", ({ putP50Ms }) => time(putP50Ms)],
  ["p99", ({ putP99Ms }) => time(putP99Ms)],
  ["DEL/s", ({ deletesPerSecond }) => count(deletesPerSecond)],
  ["FAIL/s", ({ failuresPerSecond }) => count(failuresPerSecond)],
  ["WAIT", ({ inFlight }) => String(inFlight)],
  ["SIBL", ({ siblingsMax }) => String(siblingsMax)],
  ["FSYNC/s", ({ fsyncsPerSecond }) => count(fsyncsPerSecond)],
  ["p99", ({ fsyncP99Ms }) => time(fsyncP99Ms)],
  ["QUEUE", ({ queueBytes }) => byteText(queueBytes)],
  ["LOOP p99", ({ eventLoopP99Ms }) => time(eventLoopP99Ms)],
  ["CPU", ({ cpuShare }) => `${Math.round(cpuShare * 100)} %`],
  ["RSS", ({ residentBytes }) => byteText(residentBytes)],
];

function textOf(rows: readonly TopRow[]): string {
  const shown = table(
    ["NODE", ...columns.map(([title]) => title)],
    rows.map(({ id, rates }) => [
      id,
      ...columns.map(([, of]) => (rates === undefined ? "-" : of(rates))),
    ]),
  );
  const silent = rows.filter(({ rates }) => rates === undefined);
  const notes = silent.map(({ id, reason }) => `${id}: ${reason}\n`);
  return shown + notes.join("") + "Times are in milliseconds, of the interval.\n";
}

function jsonOf(rows: readonly TopRow[]): object {
  return {
    nodes: rows.map(({ id, rates, reason }) => ({ id, ...rates, ...(reason && { reason }) })),
  };
}

function count(perSecond: number): string {
  return perSecond < 10 && perSecond > 0 ? perSecond.toFixed(1) : String(Math.round(perSecond));
}

function time(ms: number | undefined): string {
  return ms === undefined ? "-" : ms.toFixed(ms < 10 ? 2 : 0);
}
