import type { Generators } from "../generator/generators.ts";
import { mergeHistograms, percentilesOf } from "../generator/histogram.ts";
import type { RunPlan, RunResult } from "../generator/plan.ts";
import { CpuMeter } from "../measure/cpu-meter.ts";

/** What was done in a span of time, and what it took. */
export interface Span {
  readonly name: string;
  readonly nodes: number;
  readonly seconds: number;
  /** Done, not failed. */
  readonly operations: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** User and system time of all server processes together, per operation. */
  readonly serverCpuMicros: number;
  readonly generatorCpuMicros: number;
  /** Of one core. */
  readonly generatorBusy: number;
  readonly told: Told | undefined;
}

/** What only the servers know. */
export interface Told {
  /** Between nodes. */
  readonly messagesPerOperation: number;
  readonly syncsPerOperation: number;
  /** How long one sync of a log took. */
  readonly syncMs: number;
}

/** One short run within a span. */
export interface Slice {
  readonly result: RunResult;
  readonly serverCpuMicros: number;
}

export interface SteadyLoadInput {
  readonly generators: Generators;
  readonly inFlight: number;
  /** Of the servers that there are now. */
  readonly pids: () => readonly number[];
}

/** Short enough to tell what came before from what comes after; in seconds. */
const sliceSeconds = 0.5;

/** Half puts and half gets of all keys alike, in short runs without a pause between them. */
export class SteadyLoad {
  readonly #input: SteadyLoadInput;
  #seed = 0;
  readonly #cpu: CpuMeter;

  constructor(input: SteadyLoadInput) {
    this.#input = input;
    this.#cpu = new CpuMeter(input.pids);
  }

  async slice(inFlight: number = this.#input.inFlight): Promise<Slice> {
    this.#seed += 1;
    const plan: RunPlan = {
      workload: "a",
      distribution: "uniform",
      pressure: { kind: "closed", inFlight },
      seconds: sliceSeconds,
      operationsMax: undefined,
      seed: this.#seed,
    };
    this.#cpu.take();
    const result = await this.#input.generators.run(plan);
    return { result, serverCpuMicros: this.#cpu.take() };
  }

  async slices(seconds: number, inFlight?: number): Promise<readonly Slice[]> {
    const count = Math.max(1, Math.round(seconds / sliceSeconds));
    const slices: Slice[] = [];
    while (slices.length < count) slices.push(await this.slice(inFlight));
    return slices;
  }
}

/** What all of these come to. */
export function spanOf(name: string, nodes: number, slices: readonly Slice[]): Span {
  const sum = (of: (slice: Slice) => number): number =>
    slices.reduce((total, slice) => total + of(slice), 0);
  const errors = new Map<string, number>();
  for (const { result } of slices) {
    for (const [kind, count] of Object.entries(result.errors)) {
      errors.set(kind, (errors.get(kind) ?? 0) + count);
    }
  }
  const failed = [...errors.values()].reduce((total, count) => total + count, 0);
  const seconds = sum(({ result }) => result.seconds);
  const operations = sum(({ result }) => result.operations) - failed;
  const generatorCpu = sum(({ result }) => result.cpuMicros);
  const { p50, p99, max } = percentilesOf(
    mergeHistograms(slices.map(({ result }) => result.histogram)),
  );
  return {
    name,
    nodes,
    seconds,
    operations,
    errors: Object.fromEntries(errors),
    p50Ms: p50,
    p99Ms: p99,
    maxMs: max,
    serverCpuMicros: sum(({ serverCpuMicros }) => serverCpuMicros) / operations,
    generatorCpuMicros: generatorCpu / operations,
    generatorBusy: generatorCpu / 1e6 / seconds,
    told: undefined,
  };
}
