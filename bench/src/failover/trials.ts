import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { RealCluster } from "@coterie/e2e";
import { type DoorName, bucketOf, openDoors } from "./doors.ts";
import { OpenLoad, keyGroups } from "./open-load.ts";
import { type Figures, figuresOf } from "./outcomes.ts";

export const faultNames = ["kill", "stop"] as const;
export type FaultName = (typeof faultNames)[number];

export interface TrialsInput {
  readonly door: DoorName;
  readonly faults: readonly FaultName[];
  readonly nodes: number;
  /** The nodes that fail, one after the other; all if left out. */
  readonly victims: readonly string[] | undefined;
  readonly operationsPerSecond: number;
  /** How long a node is away. */
  readonly awaySeconds: number;
  /** How long it is watched after it returned, and before the first fault. */
  readonly aroundSeconds: number;
  readonly directory: string;
  readonly say: (line: string) => void;
}

/** A span of time, and how the others served in it. */
export interface Span extends Figures {
  readonly fault: FaultName | "none";
  readonly node: string;
  readonly phase: "before" | "away" | "back";
  readonly seconds: number;
  /** For how long the generator itself stood still: no gap is shorter than what it saw of it. */
  readonly stallMs: number;
}

const groupCount = 16;
const valueBytes = 100;
/** Of a cluster made by `coterie dev`. */
const partitions = 64;
/** Answers are awaited so long after the last operation. */
const patienceMs = 5000;

/** Lets nodes of a real cluster fail in turn, under a steady load of the others. */
export async function runTrials(input: TrialsInput): Promise<readonly Span[]> {
  const { door, say, directory } = input;
  const shape = ["--nodes", `${input.nodes}`];
  const cluster = await RealCluster.start({ parent: directory, arguments: shape });
  try {
    const ids = cluster.endpoints.map(({ id }) => id);
    const spans: Span[] = [];
    for (const fault of input.faults) {
      for (const node of input.victims ?? ids) {
        // Connections of its own: those to a node that was killed are gone.
        const drivers = await openDoors(door, cluster.endpoints);
        const groups = keyGroups(bucketOf(door), partitions, groupCount);
        const value = Buffer.alloc(valueBytes, "x");
        const { operationsPerSecond } = input;
        const load = new OpenLoad({ drivers, operationsPerSecond, groups, value });
        load.ask(ids.filter((id) => id !== node));
        await load.fill();
        const found = await trial(cluster, load, { ...input, fault, node });
        for (const span of found) say(lineOf(span));
        spans.push(...found);
        for (const driver of new Set(drivers.values())) await driver.close();
      }
    }
    return spans;
  } finally {
    await cluster.stop();
  }
}

async function trial(
  cluster: RealCluster,
  load: OpenLoad,
  input: TrialsInput & { readonly fault: FaultName; readonly node: string },
): Promise<readonly Span[]> {
  const { fault, node, awaySeconds, aroundSeconds } = input;
  const phases: (() => Span)[] = [];
  let fromMs = performance.now();
  const end = (phase: Span["phase"], toMs: number): void => {
    const { outcomes, stallMs } = load.take();
    const from = fromMs;
    fromMs = toMs;
    // Judged later: with many operations it takes a while, in which none would begin.
    phases.push(() => ({
      fault: phase === "before" ? "none" : fault,
      node,
      phase,
      seconds: (toMs - from) / 1000,
      stallMs,
      ...figuresOf(outcomes, { fromMs: from, toMs }),
    }));
  };
  load.start();
  // The first operations of a fresh generator, and of fresh connections, are not judged.
  await sleep(1000);
  load.take();
  fromMs = performance.now();
  await sleep(aroundSeconds * 1000);
  end("before", performance.now());
  if (fault === "kill") void cluster.kill(node);
  else cluster.pause(node);
  await sleep(awaySeconds * 1000);
  end("away", performance.now());
  if (fault === "kill") await cluster.revive(node);
  else cluster.resume(node);
  await sleep(aroundSeconds * 1000);
  const endMs = performance.now();
  await load.stop(patienceMs);
  end("back", endMs);
  return phases.map((judge) => judge());
}

function lineOf(span: Span): string {
  const { fault, node, phase, putGapMs, getGapMs, groupGapMs, putsFailed, getsFailed } = span;
  return (
    `${fault} ${node} ${phase}: ${span.operations} operations, gaps ${putGapMs.toFixed(0)} ms of ` +
    `writes, ${getGapMs.toFixed(0)} ms of reads, ${groupGapMs.toFixed(0)} ms in the worst group; ` +
    `failed ${putsFailed} writes, ${getsFailed} reads ${span.errors.join(" ")}; ` +
    `p99 ${span.p99Ms.toFixed(1)}, most ${span.mostMs.toFixed(0)} ms; ` +
    `generator stood still ${span.stallMs.toFixed(0)} ms`
  );
}
