import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "@coterie/e2e";
import { growth, readMetrics } from "../measure/server-metrics.ts";
import type { LoadedCluster, Span } from "./loaded-cluster.ts";
import { repairAll } from "./repair-all.ts";
import { slowDisk } from "./slow-disk.ts";

/** What a cluster is measured in, in the order in which it is. */
export const conditionNames = [
  "healthy",
  "killed",
  "stopped",
  "slow disk",
  "join",
  "compaction",
  "repair",
] as const;
export type ConditionName = (typeof conditionNames)[number];

export interface ConditionInput {
  readonly loaded: LoadedCluster;
  readonly operationsPerSecond: number;
  readonly seconds: number;
  /** By how much a sync of the slow disk takes longer. */
  readonly syncMs: number;
  /** For files that are needed meanwhile. */
  readonly directory: string;
}

/** Settings under which a condition comes about soon; those with none share a cluster. */
export const settingsOf: Readonly<
  Partial<Record<ConditionName, Readonly<Record<string, unknown>>>>
> = {
  // So that some are sealed, and are copied one after the other.
  compaction: { segmentBytes: 16 * 1024 * 1024 },
  // Nobody remembers what a node missed: only comparing tells it.
  repair: { handoffKeys: 1, antiEntropy: "off" },
};

const victim = "n2";
const quietMsMax = 60_000;
const pollMs = 100;
const coldKeys = 24_000;
const coldValueBytes = 4096;

/** Makes it so, measures, and makes it as before; or says why it cannot be. */
export const conditions: Readonly<
  Record<ConditionName, (input: ConditionInput) => Promise<Span | string>>
> = {
  healthy: (input) => span(input, [], () => Promise.resolve("nothing else")),
  killed: async (input) => {
    const { cluster } = input.loaded;
    const found = await span(input, [victim], async () => {
      input.loaded.standIn(victim, undefined);
      await cluster.kill(victim);
      return `${victim} killed as it began`;
    });
    await cluster.revive(victim);
    input.loaded.standAsBefore(victim);
    await input.loaded.settle();
    return found;
  },
  stopped: async (input) => {
    const { cluster } = input.loaded;
    const found = await span(input, [victim], () => {
      cluster.pause(victim);
      return Promise.resolve(`${victim} stopped as it began`);
    });
    cluster.resume(victim);
    await input.loaded.settle();
    return found;
  },
  "slow disk": onSlowDisk,
  join: async (input) =>
    span(input, [], async () => {
      const { id } = await input.loaded.cluster.add();
      const isQuiet = await untilQuiet(input.loaded);
      return `${id} joins, ${isQuiet ? "to the end" : "and is not done after a minute"}`;
    }),
  compaction: underCompaction,
  repair: underRepair,
};

function span(
  { loaded, operationsPerSecond, seconds }: ConditionInput,
  away: readonly string[],
  meanwhile: () => Promise<string>,
): Promise<Span> {
  return loaded.span({ operationsPerSecond, seconds, away, meanwhile });
}

/** The node runs by itself for the time, with a disk that is slow to sync. */
async function onSlowDisk(input: ConditionInput): Promise<Span | string> {
  const { loaded, syncMs } = input;
  const { cluster } = loaded;
  const before = slowDisk(input.directory, syncMs);
  if (typeof before === "string") return before;
  await cluster.kill(victim);
  const slow = new Command(cluster.startWords(victim), before);
  try {
    loaded.standIn(victim, slow.child.pid);
    await cluster.untilReady(victim).catch((cause: unknown) => {
      throw new Error(`${victim} does not start: ${slow.output}`, { cause });
    });
    await loaded.settle();
    return await span(input, [], () => Promise.resolve(`${victim} syncs in ${syncMs} ms and more`));
  } finally {
    await slow.stop();
    await cluster.revive(victim);
    loaded.standAsBefore(victim);
    await loaded.settle();
  }
}

/**
 * Six segments of large values, of which nearly half are replaced by small ones beforehand, evenly;
 * some more are as the span begins, so that all six are worth compacting, at all three nodes.
 */
async function underCompaction(input: ConditionInput): Promise<Span> {
  const { loaded, seconds } = input;
  const { doors } = loaded.cluster;
  const keys = Array.from({ length: coldKeys }, (_, number) => `cold-${number}`);
  const percent = (from: number, to: number): readonly string[] =>
    keys.filter((_, number) => number % 100 >= from && number % 100 < to);
  await loaded.write({ keys, valueBytes: coldValueBytes });
  await loaded.write({ keys: percent(0, 47) });
  const before = await readMetrics(doors);
  return span(input, [], async () => {
    const endMs = performance.now() + seconds * 1000;
    await loaded.write({ keys: percent(47, 53), inFlight: 2 });
    await sleep(Math.max(0, endMs - performance.now()));
    const after = await readMetrics(doors);
    const count = growth(before, after, "coterie_store_compactions_total") ?? 0;
    const bytes = growth(before, after, "coterie_store_compacted_bytes_total") ?? 0;
    return `${count} compactions that copy ${(bytes / 1e6).toFixed(1)} MB`;
  });
}

/**
 * A node that stood still while every key was written goes on, and compares all, again and again
 * as long as the span lasts.
 */
async function underRepair(input: ConditionInput): Promise<Span> {
  const { loaded, seconds } = input;
  const { cluster } = loaded;
  cluster.pause(victim);
  await loaded.write({ ids: loaded.ids.filter((id) => id !== victim) });
  const others = cluster.endpoints.filter(({ id }) => id !== victim).map(({ http }) => http);
  const before = await readMetrics(others);
  const door = cluster.endpoints.find(({ id }) => id === victim)?.http ?? "";
  return span(input, [victim], async () => {
    const endMs = performance.now() + seconds * 1000;
    cluster.resume(victim);
    let repairs = 0;
    let keys = 0;
    do {
      keys += await repairAll(door);
      repairs += 1;
    } while (performance.now() < endMs);
    const after = await readMetrics(others);
    keys += growth(before, after, "coterie_anti_entropy_exchanged_keys_total") ?? 0;
    return `${repairs} repairs of all at ${victim}, ${keys} keys made alike`;
  });
}

async function untilQuiet({ cluster }: LoadedCluster): Promise<boolean> {
  const endMs = performance.now() + quietMsMax;
  while (performance.now() < endMs) {
    const answer = await fetch(`http://${cluster.doors[0]}/v1/topology`);
    const { moves, leftovers } = (await answer.json()) as { moves: number; leftovers: number };
    if (moves + leftovers === 0) return true;
    await sleep(pollMs);
  }
  return false;
}
