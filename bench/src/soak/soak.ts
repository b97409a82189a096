import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Coterie } from "@coterie/client";
import { RealCluster } from "@coterie/e2e";
import { OpenLoad, keyGroups } from "../failover/open-load.ts";
import type { Outcome } from "../failover/outcomes.ts";
import { CpuMeter } from "../measure/cpu-meter.ts";
import { untilPaid } from "../measure/hint-debts.ts";
import { repairAll } from "../tails/repair-all.ts";
import { type Check, check } from "./check.ts";
import { LedgerDriver } from "./ledger-driver.ts";
import { Obligations } from "./obligations.ts";
import { ResidentSeries, type Trend, trendOf } from "./resident-series.ts";
import { type Schedule, scheduleOf } from "./schedule.ts";
import { type Part, addTo, newPart } from "./waits.ts";

export interface SoakInput {
  readonly directory: string;
  readonly minutes: number;
  /** Of the peak. */
  readonly share: number;
  readonly peakSeconds: number;
  readonly keys: number;
  readonly say: (line: string) => void;
}

export interface Soak {
  readonly schedule: Schedule;
  readonly peak: number;
  readonly operationsPerSecond: number;
  /** One for each thirtieth. */
  readonly parts: readonly Part[];
  readonly trends: readonly (Trend | undefined)[];
  readonly kills: number;
  readonly repair: { readonly seconds: number; readonly keys: number } | undefined;
  readonly acknowledged: number;
  readonly checks: readonly Check[];
  /** Of all server processes, per operation, in the parts in which none was away. */
  readonly cpuMicros: number;
  readonly stallMs: number;
}

/** Of a cluster made by `coterie dev`. */
const partitions = 64;
const inFlight = 64;
const warmUpSeconds = 5;
const sampleMs = 1000;
const patienceMs = 10_000;
const settleMsMax = 120_000;

/** Three real nodes under an open loop for a long time, while two of them die by turns. */
export async function soak(input: SoakInput): Promise<Soak> {
  const cluster = await RealCluster.start({ parent: input.directory });
  try {
    return await new Soaking(cluster, input).run();
  } finally {
    await cluster.stop();
  }
}

class Soaking {
  readonly #cluster: RealCluster;
  readonly #input: SoakInput;
  readonly #schedule: Schedule;
  readonly #obligations = new Obligations();
  readonly #memory = new ResidentSeries();
  readonly #away = new Set<string>();
  readonly #parts: Part[] = [];
  /** What goes on beside the load. */
  readonly #tasks: Promise<void>[] = [];
  #failure: Error | undefined;
  #startMs = 0;
  #kills = 0;
  #repair: Soak["repair"];

  constructor(cluster: RealCluster, input: SoakInput) {
    this.#cluster = cluster;
    this.#input = input;
    this.#schedule = scheduleOf(input.minutes);
  }

  async run(): Promise<Soak> {
    const { keys, share, peakSeconds, say } = this.#input;
    const nodes = this.#cluster.endpoints.map(({ grpc }) => grpc);
    const driver = new LedgerDriver(new Coterie({ nodes }), this.#obligations);
    const perGroup = Math.max(1, Math.ceil(keys / partitions));
    const groups = keyGroups("default", partitions, partitions, perGroup);
    const drivers = new Map(this.#ids.map((id) => [id, driver]));
    const loadOf = (operationsPerSecond: number): OpenLoad => {
      const load = new OpenLoad({ drivers, operationsPerSecond, groups, value: Buffer.alloc(0) });
      load.ask(this.#ids);
      return load;
    };
    try {
      const first = loadOf(1);
      await first.fill();
      await first.closed(inFlight, warmUpSeconds);
      const peak = await first.closed(inFlight, peakSeconds);
      const operationsPerSecond = Math.max(1, Math.round(peak * share));
      say(`peak ${peak.toFixed(0)}/s; now ${operationsPerSecond}/s for ${this.#input.minutes} min`);
      const used = await this.#load(loadOf(operationsPerSecond));
      // Then what is acknowledged is where it belongs.
      await untilPaid(this.#cluster.doors, settleMsMax);
      const { minutes } = this.#input;
      return {
        schedule: this.#schedule,
        peak,
        operationsPerSecond,
        parts: this.#parts,
        trends: this.#ids.map((id) => trendOf(id, this.#memory.livesOf(id), (minutes * 60) / 6)),
        kills: this.#kills,
        repair: this.#repair,
        acknowledged: this.#obligations.acknowledged,
        checks: await check(this.#cluster.endpoints, this.#obligations),
        ...used,
      };
    } finally {
      await driver.close();
    }
  }

  get #ids(): readonly string[] {
    return this.#cluster.endpoints.map(({ id }) => id);
  }

  /** Runs the schedule. */
  async #load(load: OpenLoad): Promise<Pick<Soak, "cpuMicros" | "stallMs">> {
    const { seconds, partSeconds } = this.#schedule;
    const events = [...this.#schedule.events];
    const cpu = new CpuMeter(() => this.#pids);
    const calm = { micros: 0, operations: 0 };
    let stallMs = 0;
    let partEnds = partSeconds;
    let wasCalm = true;
    let part = newPart();
    this.#startMs = performance.now();
    load.start();
    while (this.#seconds < seconds && this.#failure === undefined) {
      await sleep(sampleMs - ((this.#seconds * 1000) % sampleMs));
      for (const id of this.#ids) {
        if (!this.#away.has(id)) this.#memory.sample(id, this.#cluster.pidOf(id), this.#seconds);
      }
      while ((events[0]?.atSeconds ?? Infinity) <= this.#seconds) this.#begin(events.shift());
      wasCalm &&= this.#away.size === 0;
      // Each second: a minute's would grow old, and their collection would hold up the load.
      const taken = load.take();
      stallMs = Math.max(stallMs, taken.stallMs);
      addTo(part, taken.outcomes);
      if (this.#seconds < partEnds) continue;
      const micros = cpu.take();
      if (wasCalm) {
        calm.micros += micros;
        calm.operations += part.operations;
      }
      wasCalm = this.#away.size === 0;
      this.#end(part);
      part = newPart();
      partEnds += partSeconds;
    }
    await load.stop(patienceMs);
    this.#addToLast(load.take().outcomes);
    await Promise.all(this.#tasks);
    if (this.#failure !== undefined) throw this.#failure;
    return { cpuMicros: calm.micros / Math.max(1, calm.operations), stallMs };
  }

  get #seconds(): number {
    return (performance.now() - this.#startMs) / 1000;
  }

  get #pids(): readonly number[] {
    const here = this.#ids.filter((id) => !this.#away.has(id));
    return here.map((id) => this.#cluster.pidOf(id));
  }

  #end(part: Part): void {
    this.#parts.push(part);
    this.#input.say(
      `${this.#seconds.toFixed(0)} s: ${part.operations} operations, ${part.failed} failed`,
    );
  }

  /** What ends after the end was due before it. */
  #addToLast(outcomes: readonly Outcome[]): void {
    const last = this.#parts.at(-1);
    if (last !== undefined) addTo(last, outcomes);
  }

  #begin(event: Schedule["events"][number] | undefined): void {
    // One at a time: of three copies two must stay.
    if (event === undefined || (event.kind === "kill" && this.#away.size > 0)) return;
    const task = event.kind === "repair" ? this.#repairAll() : this.#killAndRevive(event.node);
    this.#tasks.push(
      task.catch((error: unknown) => {
        this.#failure ??= error as Error;
      }),
    );
  }

  async #killAndRevive(node: string): Promise<void> {
    this.#away.add(node);
    this.#memory.end(node);
    await this.#cluster.kill(node);
    this.#kills += 1;
    await sleep(this.#schedule.awaySeconds * 1000);
    await this.#cluster.revive(node);
    this.#away.delete(node);
    this.#input.say(`${this.#seconds.toFixed(0)} s: ${node} was killed, and is back`);
  }

  async #repairAll(): Promise<void> {
    const from = this.#seconds;
    const keys = await repairAll(this.#cluster.doors[0] ?? "");
    this.#repair = { seconds: this.#seconds - from, keys };
    this.#input.say(`repaired all in ${this.#repair.seconds.toFixed(1)} s`);
  }
}
