import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Addresses } from "../drivers/driver.ts";
import type { DriverName } from "../drivers/open-driver.ts";
import { builtFile } from "../built-file.ts";
import { histogramText, mergeHistograms } from "./histogram.ts";
import type { GeneratorInput, KeysPlan, Order, Pressure, RunPlan, RunResult } from "./plan.ts";

type Reply = { readonly result: RunResult | number } | { readonly error: string };

/** The generator processes of a target: the same order to all, their results as one. */
export class Generators {
  readonly #children: readonly ChildProcess[];

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  static start(addresses: Addresses, count: number): Generators {
    const children = Array.from({ length: count }, (_, index) => {
      const input: GeneratorInput = { addresses, index, generators: count };
      return fork(builtFile("generator/generator-main.js"), [JSON.stringify(input)]);
    });
    return new Generators(children);
  }

  get pids(): readonly number[] {
    return this.#children.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  async connect(driver: DriverName, connections: number): Promise<void> {
    const share = Math.ceil(connections / this.#children.length);
    await this.#all(() => ({ order: "connect", driver, connections: share }));
  }

  async use(plan: KeysPlan): Promise<void> {
    await this.#all(() => ({ order: "use", ...plan }));
  }

  /** Loads keys `from` up to `to`; says how many writes failed. */
  async fill(from: number, to: number): Promise<number> {
    const failures = await this.#all(() => ({ order: "fill", from, to }));
    return (failures as readonly number[]).reduce((sum, each) => sum + each, 0);
  }

  async run(plan: RunPlan): Promise<RunResult> {
    const count = this.#children.length;
    const results = await this.#all((at) => ({
      order: "run",
      ...plan,
      pressure: shareOf(plan.pressure, at, count),
      operationsMax:
        plan.operationsMax === undefined ? undefined : Math.ceil(plan.operationsMax / count),
    }));
    return mergeResults(results as readonly RunResult[]);
  }

  async stop(): Promise<void> {
    const living = this.#children.filter(
      ({ exitCode, signalCode }) => (exitCode ?? signalCode) === null,
    );
    const ends = living.map((child) => once(child, "exit"));
    for (const child of living) child.disconnect();
    await Promise.all(ends);
  }

  #all(orderFor: (at: number) => Order): Promise<readonly (RunResult | number)[]> {
    return Promise.all(this.#children.map((child, at) => ask(child, orderFor(at))));
  }
}

async function ask(child: ChildProcess, order: Order): Promise<RunResult | number> {
  const reply = await new Promise<Reply>((resolve) => {
    const lost = (): void => resolve({ error: "the generator's process has ended" });
    child.once("exit", lost);
    child.once("message", (message: Reply) => {
      child.off("exit", lost);
      resolve(message);
    });
    child.send(order);
  });
  if ("error" in reply) throw new Error(reply.error);
  return reply.result;
}

function shareOf(pressure: Pressure, at: number, count: number): Pressure {
  if (pressure.kind === "open") return { kind: "open", rate: pressure.rate / count };
  const { inFlight } = pressure;
  const share = Math.floor((inFlight * (at + 1)) / count) - Math.floor((inFlight * at) / count);
  return { kind: "closed", inFlight: Math.max(1, share) };
}

/** Adds up what several generators saw of one run. */
export function mergeResults(results: readonly RunResult[]): RunResult {
  const sum = (of: (result: RunResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  const errors = new Map<string, number>();
  const tenths: number[] = [];
  for (const result of results) {
    for (const [kind, count] of Object.entries(result.errors)) {
      errors.set(kind, (errors.get(kind) ?? 0) + count);
    }
    for (const [at, count] of result.tenths.entries()) tenths[at] = (tenths[at] ?? 0) + count;
  }
  return {
    operations: sum(({ operations }) => operations),
    seconds: Math.max(...results.map(({ seconds }) => seconds)),
    histogram: histogramText(mergeHistograms(results.map(({ histogram }) => histogram))),
    lateness: histogramText(mergeHistograms(results.map(({ lateness }) => lateness))),
    errors: Object.fromEntries(errors),
    tenths,
    writes: sum(({ writes }) => writes),
    writtenBytes: sum(({ writtenBytes }) => writtenBytes),
    contextReads: sum(({ contextReads }) => contextReads),
    cpuMicros: sum(({ cpuMicros }) => cpuMicros),
    taken: Math.max(...results.map(({ taken }) => taken)),
  };
}
