import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import type { CaseResult } from "../replay/run-case.ts";
import { flagsForSeeds, youngMb } from "./v8-for-seeds.ts";

export interface CampaignOptions {
  readonly from: number;
  readonly seeds: number;
  readonly minutes: number;
  readonly workers: number;
  readonly onResult: (result: CaseResult) => void;
}

/** What a campaign has done so far. */
export interface Tally {
  seeds: number;
  failed: number;
  /** Of clients, as what follows: what a repeated seed does counts each time. */
  operations: number;
  acknowledged: number;
  repeated: number;
  readonly faults: Map<string, number>;
}

/** Of so many seeds one is run twice. */
const repeatEvery = 50;

/** Runs seeds in threads, until all are done or time is up. */
export class Campaign {
  readonly tally: Tally = {
    seeds: 0,
    failed: 0,
    operations: 0,
    acknowledged: 0,
    repeated: 0,
    faults: new Map(),
  };
  readonly #options: CampaignOptions;
  readonly #endMs: number;
  readonly #cpuAtStart = process.cpuUsage();
  #next: number;

  constructor(options: CampaignOptions) {
    this.#options = options;
    this.#endMs = performance.now() + options.minutes * 60_000;
    this.#next = options.from;
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.workers }, () => this.#work()));
  }

  /** Begins no more seeds. */
  stop(): void {
    this.#next = Number.POSITIVE_INFINITY;
  }

  /** One line that says it all. */
  summary(): string {
    const { seeds, failed, operations, acknowledged, repeated, faults } = this.tally;
    // Of all threads together: what others do on the machine does not count.
    const { user, system } = process.cpuUsage(this.#cpuAtStart);
    const struck = [...faults.values()].reduce((sum, count) => sum + count, 0);
    const rate = Math.round((operations * 1e6) / Math.max(1, user + system));
    return (
      `${seeds} seeds (${repeated} of them twice): ${failed} failed; ${operations} operations ` +
      `(${rate} per second of a core), ${acknowledged} acknowledged writes, ` +
      `${struck} faults of ${faults.size} kinds`
    );
  }

  async #work(): Promise<void> {
    for (const flag of flagsForSeeds) setFlagsFromString(flag);
    const worker = new Worker(new URL("seed-thread.js", import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: youngMb },
    });
    try {
      for (let seed = this.#take(); seed !== undefined; seed = this.#take()) {
        this.#note(await this.#ask(worker, seed));
      }
    } finally {
      await worker.terminate();
    }
  }

  #take(): number | undefined {
    const { from, seeds } = this.#options;
    if (this.#next >= from + seeds || performance.now() >= this.#endMs) return undefined;
    this.#next += 1;
    return this.#next - 1;
  }

  #ask(worker: Worker, seed: number): Promise<CaseResult> {
    return new Promise((resolve, reject) => {
      worker.removeAllListeners();
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.postMessage({ seed, isRepeated: seed % repeatEvery === 0 }, []);
    });
  }

  #note(result: CaseResult): void {
    const { tally } = this;
    tally.seeds += 1;
    if (result.failure !== undefined) tally.failed += 1;
    const runs = result.seed % repeatEvery === 0 ? 2 : 1;
    tally.repeated += runs - 1;
    tally.operations += (result.operations + result.pages + result.probes) * runs;
    tally.acknowledged += result.acknowledged * runs;
    for (const [kind, count] of Object.entries(result.faults)) {
      tally.faults.set(kind, (tally.faults.get(kind) ?? 0) + count * runs);
    }
    this.#options.onResult(result);
  }
}
