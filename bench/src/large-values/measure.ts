import { Generators } from "../generator/generators.ts";
import { mergeHistograms, percentilesOf } from "../generator/histogram.ts";
import type { Pressure, RunResult } from "../generator/plan.ts";
import { cpuMicros, residentBytes } from "../measure/process-usage.ts";
import { ResidentSampler } from "../measure/resident-sampler.ts";
import { CoterieTarget } from "../targets/coterie-target.ts";
import type { WorkloadName } from "../workload/mix.ts";

export interface LargeValuesInput {
  readonly workload: WorkloadName;
  /** Bytes of a small value, and of a large one. */
  readonly small: number;
  readonly large: number;
  /** Calls under way while either peak is looked for. */
  readonly inFlight: number;
  readonly largeInFlight: number;
  /** Of the peak of each kind alone, what is offered. */
  readonly smallShare: number;
  readonly largeShare: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly directory: string;
  readonly say: (line: string) => void;
}

/** A span of time, and how small operations did in it. */
export interface Span {
  readonly name: string;
  readonly smallPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly largePerSecond: number;
  readonly largeP99Ms: number;
  /** Of all servers together. */
  readonly cpuShare: number;
  readonly residentBytesPeak: number;
  readonly errors: readonly string[];
}

export interface LargeValuesFindings {
  readonly smallPeak: number;
  readonly largePeak: number;
  /** In turns: small operations alone, and beside large values. */
  readonly spans: readonly Span[];
  /** The median over the rounds of the p99 of small operations beside large ones, to that alone. */
  readonly ratio: number;
  /** One of the three is stopped, and large values are written as fast as they go. */
  readonly stopped: readonly Span[];
  /** The most that one of the others had, before and meanwhile. */
  readonly residentBefore: number;
  readonly residentMost: number;
}

const largeBytesLoaded = 32 * 1024 * 1024;
const smallRecords = 10_000;
const connections = 64;
const mebibyte = 1024 * 1024;

/** Small operations alone and beside large values, and while a node is stopped. */
export async function measureLargeValues(input: LargeValuesInput): Promise<LargeValuesFindings> {
  const target = await CoterieTarget.start(input.directory);
  const session = new Loads(target, input);
  try {
    await session.open();
    const smallPeak = await session.peakOf("small", input.inFlight);
    const largePeak = await session.peakOf("large", input.largeInFlight);
    input.say(`peaks: ${smallPeak.toFixed(0)} small/s, ${largePeak.toFixed(0)} large/s`);
    const spans: Span[] = [];
    const ratios: number[] = [];
    const rates = { small: smallPeak * input.smallShare, large: largePeak * input.largeShare };
    for (let round = 0; round < input.rounds; round += 1) {
      // Who comes first takes turns: what drifts with time favours neither.
      const alone = (): Promise<Span> => session.span("alone", open(rates.small), undefined);
      const beside = (): Promise<Span> =>
        session.span("beside large", open(rates.small), open(rates.large));
      const first = round % 2 === 0 ? await alone() : await beside();
      const second = round % 2 === 0 ? await beside() : await alone();
      const [without, withLarge] = round % 2 === 0 ? [first, second] : [second, first];
      spans.push(without, withLarge);
      ratios.push(withLarge.p99Ms / without.p99Ms);
    }
    const ratio = ratios.toSorted((a, b) => a - b)[Math.floor((ratios.length - 1) / 2)] ?? 0;
    return { smallPeak, largePeak, spans, ratio, ...(await whileStopped(target, input, rates)) };
  } finally {
    await session.close();
    await target.stop();
  }
}

function open(rate: number): Pressure {
  return { kind: "open", rate: Math.max(1, Math.round(rate)) };
}

/** The last node is stopped; the others are asked. */
async function whileStopped(
  target: CoterieTarget,
  input: LargeValuesInput,
  rates: { readonly small: number },
): Promise<Pick<LargeValuesFindings, "stopped" | "residentBefore" | "residentMost">> {
  const victim = target.pids.at(-1) as number;
  const others = target.pids.slice(0, -1);
  const session = new Loads(target, { ...input, large: mebibyte }, -1);
  try {
    await session.open();
    const residentBefore = Math.max(...others.map(residentBytes));
    process.kill(victim, "SIGSTOP");
    let residentMost = residentBefore;
    const timer = setInterval(() => {
      residentMost = Math.max(residentMost, ...others.map(residentBytes));
    }, 100);
    const flood: Pressure = { kind: "closed", inFlight: input.largeInFlight * 4 };
    const pressure = open(rates.small);
    const stopped = [
      await session.span("a node stopped, alone", pressure, undefined),
      await session.span("a node stopped, beside 1 MiB", pressure, flood),
      await session.span("a node stopped, beside 1 MiB", pressure, flood),
    ];
    clearInterval(timer);
    return { stopped, residentBefore, residentMost };
  } finally {
    process.kill(victim, "SIGCONT");
    await session.close();
  }
}

type Size = "small" | "large";

/** A process that makes small operations, and one that makes large ones. */
class Loads {
  readonly #target: CoterieTarget;
  readonly #input: LargeValuesInput;
  readonly #generators: Readonly<Record<Size, Generators>>;
  #seed = 0;

  /** @param end of the list of nodes that are asked. */
  constructor(target: CoterieTarget, input: LargeValuesInput, end?: number) {
    this.#target = target;
    this.#input = input;
    const grpc = target.addresses["grpc"]?.slice(0, end) ?? [];
    const addresses = { ...target.addresses, grpc };
    this.#generators = {
      small: Generators.start(addresses, 1),
      large: Generators.start(addresses, 1),
    };
  }

  async open(): Promise<void> {
    for (const size of ["small", "large"] as const) {
      const valueBytes = this.#input[size];
      const records = size === "small" ? smallRecords : Math.ceil(largeBytesLoaded / valueBytes);
      const generators = this.#generators[size];
      await generators.connect("pipe-raw", connections);
      await generators.use({ prefix: `${size}-${valueBytes}-`, records, valueBytes });
      await generators.fill(0, records);
    }
  }

  /** Operations per second with so many under way, after a warm-up. */
  async peakOf(size: Size, inFlight: number): Promise<number> {
    const pressure = { kind: "closed", inFlight } as const;
    await this.#run(size, pressure);
    const { operations, seconds } = await this.#run(size, pressure);
    return operations / seconds;
  }

  async span(name: string, small: Pressure, large: Pressure | undefined): Promise<Span> {
    const { pids } = this.#target;
    const sampler = new ResidentSampler(pids);
    const cpuBefore = pids.reduce((sum, pid) => sum + cpuMicros(pid), 0);
    const [smalls, larges] = await Promise.all([
      this.#run("small", small),
      large === undefined ? undefined : this.#run("large", large),
    ]);
    const cpu = pids.reduce((sum, pid) => sum + cpuMicros(pid), 0) - cpuBefore;
    const { p50, p99 } = percentilesOf(mergeHistograms([smalls.histogram]));
    const span: Span = {
      name,
      smallPerSecond: smalls.operations / smalls.seconds,
      p50Ms: p50,
      p99Ms: p99,
      largePerSecond: larges === undefined ? 0 : larges.operations / larges.seconds,
      largeP99Ms: larges === undefined ? 0 : percentilesOf(mergeHistograms([larges.histogram])).p99,
      cpuShare: cpu / 1e6 / smalls.seconds,
      residentBytesPeak: sampler.stop()?.peak ?? 0,
      errors: [...errorsOf("small", smalls), ...errorsOf("large", larges)],
    };
    this.#input.say(`${name}: p99 of small ones ${p99.toFixed(1)} ms`);
    return span;
  }

  async close(): Promise<void> {
    await this.#generators.small.stop();
    await this.#generators.large.stop();
  }

  #run(size: Size, pressure: Pressure): Promise<RunResult> {
    this.#seed += 1;
    const { workload, seconds } = this.#input;
    const plan = { workload, distribution: "uniform", operationsMax: undefined } as const;
    return this.#generators[size].run({ ...plan, pressure, seconds, seed: this.#seed });
  }
}

function errorsOf(name: string, result: RunResult | undefined): readonly string[] {
  return Object.entries(result?.errors ?? {}).map(([kind, count]) => `${count} ${name} ${kind}`);
}
