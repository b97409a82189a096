import type { Driver } from "../drivers/driver.ts";
import { type DriverName, openDriver } from "../drivers/open-driver.ts";
import { keyChooser } from "../workload/key-chooser.ts";
import { KeySpace, ownNumber } from "../workload/key-space.ts";
import { mixes } from "../workload/mix.ts";
import { type Draw, seededDraw } from "../workload/random.ts";
import { runClosedLoop, runOpenLoop } from "./loops.ts";
import { Operations } from "./operations.ts";
import type { GeneratorInput, KeysPlan, RunPlan, RunResult } from "./plan.ts";

/** Calls in flight while keys are loaded. */
const fillInFlight = 64;
/** So many values take turns. */
const valueCount = 16;

/** Sends operations to one store; keeps its keys and their contexts from run to run. */
export class Generator {
  readonly #input: GeneratorInput;
  readonly #contexts = new Map<string, string>();
  #driver: Driver | undefined;
  #keys: KeySpace;
  #values: readonly Buffer[] = [];

  constructor(input: GeneratorInput) {
    this.#input = input;
    this.#keys = new KeySpace("", 0);
  }

  /** Speaks this protocol from now on. */
  async connect(driver: DriverName, connections: number): Promise<void> {
    await this.#driver?.close();
    const { addresses } = this.#input;
    this.#driver = await openDriver(driver, { addresses, connections });
  }

  /** Uses these keys and values from now on. */
  use({ prefix, records, valueBytes }: KeysPlan): void {
    const { index, generators } = this.#input;
    this.#keys = new KeySpace(prefix, records, { offset: index, stride: generators });
    this.#values = Array.from({ length: valueCount }, (_, at) => valueOf(valueBytes, at));
  }

  /** Writes this generator's share of keys `from` up to `to`; says how many writes failed. */
  async fill(from: number, to: number): Promise<number> {
    const operations = this.#operations("insert", "uniform", seededDraw(1));
    const { index, generators } = this.#input;
    let next = from + ((((index - from) % generators) + generators) % generators);
    let failures = 0;
    const lane = async (): Promise<void> => {
      while (next < to) {
        const number = next;
        next += generators;
        await new Promise<void>((resolve) => {
          operations.insert(number, (error) => {
            if (error !== undefined) failures += 1;
            resolve();
          });
        });
      }
    };
    await Promise.all(Array.from({ length: fillInFlight }, lane));
    return failures;
  }

  async run(plan: RunPlan): Promise<RunResult> {
    const { workload, distribution, pressure, seconds, operationsMax } = plan;
    const draw = seededDraw(plan.seed + this.#input.index * 7919);
    const operations = this.#operations(workload, distribution, draw);
    const loop = { begin: operations.begin.bind(operations), seconds, operationsMax };
    const cpuBefore = process.cpuUsage();
    const result =
      pressure.kind === "closed"
        ? await runClosedLoop(loop, pressure.inFlight)
        : await runOpenLoop(loop, pressure.rate);
    const { user, system } = process.cpuUsage(cpuBefore);
    const { writes, writtenBytes, contextReads } = operations;
    return {
      ...result.recorder.summary(),
      seconds: result.seconds,
      writes,
      writtenBytes,
      contextReads,
      cpuMicros: user + system,
      taken: this.#keys.taken,
    };
  }

  async close(): Promise<void> {
    await this.#driver?.close();
  }

  #operations(
    workload: RunPlan["workload"],
    distribution: RunPlan["distribution"],
    draw: Draw,
  ): Operations {
    const { index, generators } = this.#input;
    const chosen = keyChooser(distribution, this.#keys, draw);
    if (this.#driver === undefined) throw new Error("a generator runs only when connected");
    return new Operations({
      driver: this.#driver,
      keys: this.#keys,
      mix: mixes[workload],
      // Every generator keeps to its own share, since only it knows the contexts of its writes.
      choose: () => ownNumber(chosen(), { offset: index, stride: generators }),
      draw,
      values: this.#values,
      contexts: this.#contexts,
    });
  }
}

/** Bytes without a pattern that a store might compress. */
function valueOf(bytes: number, seed: number): Buffer {
  const draw = seededDraw(seed);
  return Buffer.from(Uint8Array.from({ length: bytes }, () => draw() * 256));
}
