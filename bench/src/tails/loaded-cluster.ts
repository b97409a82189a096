import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { RealCluster } from "@coterie/e2e";
import { type DoorName, bucketOf, openDoors } from "../failover/doors.ts";
import { OpenLoad, keyGroups } from "../failover/open-load.ts";
import { CpuMeter } from "../measure/cpu-meter.ts";
import { untilPaid } from "../measure/hint-debts.ts";
import { type Tails, tailsOf } from "./tails.ts";

export interface LoadedClusterInput {
  readonly directory: string;
  readonly door: DoorName;
  readonly keys: number;
  /** Settings of all nodes, beyond the defaults. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What is written, once each, and how. */
export interface WriteInput {
  readonly keys: readonly string[];
  readonly valueBytes: number;
  /** The nodes that are asked. */
  readonly ids: readonly string[];
  readonly inFlight: number;
}

export interface SpanInput {
  readonly operationsPerSecond: number;
  /** At least; it lasts as long as what goes on meanwhile. */
  readonly seconds: number;
  /** Nodes that are not asked; only the client is left to find out by itself whom to ask. */
  readonly away: readonly string[];
  /** What goes on: begun when the span begins, it says in the end what it was. */
  readonly meanwhile: () => Promise<string>;
}

interface LoadInput {
  readonly operationsPerSecond: number;
  readonly asked: readonly string[];
  readonly groups: readonly (readonly string[])[];
  readonly valueBytes: number;
}

/** A span of time under an open loop. */
export interface Span {
  readonly seconds: number;
  readonly operationsPerSecond: number;
  readonly meanwhile: string;
  readonly puts: Tails;
  readonly gets: Tails;
  readonly errors: readonly string[];
  /** Of all server processes together, per operation. */
  readonly cpuMicros: number;
  /** For how long the generator itself stood still at most. */
  readonly stallMs: number;
}

/** Of a cluster made by `coterie dev`. */
const partitions = 64;
const usualValueBytes = 100;
/** Of a closed loop. */
const atOnce = 64;
/** Before anything is judged, fresh connections and what compiles as it runs have so long. */
const warmUpMs = 3000;
/** What was due in a span has so long to end after it. */
const patienceMs = 5000;
const settleMsMax = 60_000;
const settledMs = 2000;

/** Three real nodes with keys, and loads of puts and gets of them from this process. */
export class LoadedCluster {
  readonly cluster: RealCluster;
  readonly #input: LoadedClusterInput;
  readonly #groups: readonly (readonly string[])[];
  readonly #contexts = new Map<string, string>();
  /** Processes that stand in for those of the cluster, by node; nothing: it has no process. */
  readonly #instead = new Map<string, number | undefined>();

  private constructor(cluster: RealCluster, input: LoadedClusterInput) {
    this.cluster = cluster;
    this.#input = input;
    const perGroup = Math.max(1, Math.ceil(input.keys / partitions));
    this.#groups = keyGroups(bucketOf(input.door), partitions, partitions, perGroup);
  }

  static async start(input: LoadedClusterInput): Promise<LoadedCluster> {
    const config = join(input.directory, "settings.json");
    writeFileSync(config, JSON.stringify({ partitions, ...input.settings }));
    const shape = ["--config", config];
    const cluster = await RealCluster.start({ parent: input.directory, arguments: shape });
    return new LoadedCluster(cluster, input);
  }

  get ids(): readonly string[] {
    return this.cluster.endpoints.map(({ id }) => id);
  }

  /** From now on this process is the node's; undefined: it has none. */
  standIn(id: string, pid: number | undefined): void {
    this.#instead.set(id, pid);
  }

  /** The node's process is the cluster's own again. */
  standAsBefore(id: string): void {
    this.#instead.delete(id);
  }

  /** Writes keys; if left out, those that loads ask for, through all nodes. */
  write(given: Partial<WriteInput> = {}): Promise<void> {
    const { keys, ids = this.ids, inFlight = atOnce, ...value } = given;
    const groups = keys === undefined ? this.#groups : [keys];
    return this.#under({ groups, asked: ids, ...value }, (load) => load.fill(inFlight));
  }

  /** Operations per second of a closed loop. */
  peak(seconds: number): Promise<number> {
    return this.#under({}, async (load) => {
      await load.closed(atOnce, warmUpMs / 1000);
      return load.closed(atOnce, seconds);
    });
  }

  span(input: SpanInput): Promise<Span> {
    const { operationsPerSecond, seconds, away, meanwhile } = input;
    const asked = this.ids.filter((id) => !away.includes(id));
    return this.#under({ operationsPerSecond, asked }, async (load) => {
      load.start();
      await sleep(warmUpMs);
      load.take();
      const cpu = new CpuMeter(() => this.#pids);
      const fromMs = performance.now();
      const [what] = await Promise.all([meanwhile(), sleep(seconds * 1000)]);
      const toMs = performance.now();
      const cpuMicros = cpu.take();
      while ((load.oldestDueMs ?? toMs) < toMs && performance.now() < toMs + patienceMs) {
        await sleep(10);
      }
      await load.stop(patienceMs);
      const { outcomes, stallMs } = load.take();
      const span = { fromMs, toMs };
      const puts = tailsOf(outcomes, "put", span);
      const gets = tailsOf(outcomes, "get", span);
      return {
        seconds: (toMs - fromMs) / 1000,
        operationsPerSecond,
        meanwhile: what,
        puts,
        gets,
        errors: [...new Set(outcomes.flatMap(({ error }) => error ?? []))],
        cpuMicros: cpuMicros / Math.max(1, puts.operations + gets.operations),
        stallMs,
      };
    });
  }

  /** Until no node owes another anything, or nothing more can be hoped for. */
  async settle(): Promise<void> {
    await untilPaid(this.cluster.doors, settleMsMax);
    await sleep(settledMs);
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
  }

  /** Of the nodes that have a process now. */
  get #pids(): readonly number[] {
    return this.ids.flatMap((id) => {
      if (this.#instead.has(id)) return this.#instead.get(id) ?? [];
      return this.cluster.pidOf(id);
    });
  }

  /** A load with connections of its own: those to a node that was killed are gone. */
  async #under<Result>(
    {
      operationsPerSecond = 1,
      asked = this.ids,
      groups = this.#groups,
      valueBytes = usualValueBytes,
    }: Partial<LoadInput>,
    run: (load: OpenLoad) => Promise<Result>,
  ): Promise<Result> {
    const drivers = await openDoors(this.#input.door, this.cluster.endpoints);
    try {
      const value = Buffer.alloc(valueBytes, "x");
      const contexts = this.#contexts;
      const load = new OpenLoad({ drivers, operationsPerSecond, value, groups, contexts });
      load.ask(asked);
      return await run(load);
    } finally {
      for (const driver of new Set(drivers.values())) await driver.close();
    }
  }
}
