import { Generators } from "../generator/generators.ts";
import type { Pressure, RunPlan } from "../generator/plan.ts";
import { type Cell, type Measurement, byteName } from "../measure/measurement.ts";
import { type Pinning, pin } from "../measure/pinning.ts";
import { measureRun } from "../measure/measure-run.ts";
import type { Target } from "../targets/target.ts";

/** Connections of an open loop, over protocols that carry one call at a time on each. */
const openConnections = 256;
/** Values of all loaded keys together. */
const loadedBytesMax = 64 * 1024 * 1024;
/**
 * V8 optimizes what is called often: under a load of one call at a time a node takes half a minute
 * to get as fast as it is from then on, with many at once some seconds.
 */
const warmUpSeconds = 8;
const warmUpPressure: Pressure = { kind: "closed", inFlight: 64 };
/** Before each measurement, under its own load. */
const leadSeconds = 0.5;

export interface SessionOptions {
  readonly generators: number;
  readonly pinning: Pinning | undefined;
  /** Keys to load before anything is measured. */
  readonly records: number;
  readonly seed: number;
  readonly seconds: number;
  readonly operationsMax: number | undefined;
  /** Where the servers keep their data; undefined if they run elsewhere. */
  readonly directory: string | undefined;
  /** Tells people what goes on. */
  readonly say: (line: string) => void;
}

interface Loaded {
  readonly prefix: string;
  records: number;
}

/** A running store with generators that are ready to load it. */
export class Session {
  readonly target: Target;
  readonly #generators: Generators;
  readonly #options: SessionOptions;
  /** By value size. */
  readonly #loaded = new Map<number, Loaded>();
  readonly #warm = new Set<string>();
  readonly #name = Date.now().toString(36);
  #connected = "";

  constructor(target: Target, options: SessionOptions) {
    this.target = target;
    this.#options = options;
    this.#generators = Generators.start(target.addresses, options.generators);
    const { pinning } = options;
    if (pinning === undefined) return;
    pin(target.pids, pinning.servers);
    pin(this.#generators.pids, pinning.generators);
  }

  /** Warms a cell up, then measures it. */
  async measure(cell: Cell, round: number): Promise<Measurement> {
    const name = `${cell.driver} ${cell.workload}`;
    if (!this.#warm.has(name)) {
      await this.#lead({ ...cell, pressure: warmUpPressure }, round, warmUpSeconds);
      this.#warm.add(name);
    }
    const loaded = await this.#lead(cell, round, leadSeconds);
    const plan = this.#plan(cell, round);
    const { target } = this;
    const generators = this.#generators;
    const input = { target, generators, cell, round, plan, directory: this.#options.directory };
    const { measurement, result } = await measureRun(input);
    loaded.records = result.taken;
    return measurement;
  }

  /** Loads a cell for a while, without measuring anything. */
  async #lead(cell: Cell, round: number, seconds: number): Promise<Loaded> {
    await this.#connect(cell);
    const loaded = await this.#load(cell);
    const plan = this.#plan(cell, round);
    const run = { ...plan, seconds: Math.min(seconds, this.#options.seconds) };
    const { taken } = await this.#generators.run(run);
    await this.#use(cell, loaded, taken);
    loaded.records = taken;
    return loaded;
  }

  /** Loads until there are `keys` keys at least, of the size that was loaded first. */
  async fillTo(keys: number): Promise<number> {
    const [first] = this.#loaded;
    if (first === undefined) return 0;
    const [valueBytes, { prefix, records }] = first;
    await this.#generators.use({ prefix, records, valueBytes });
    if (records < keys) await this.#generators.fill(records, keys);
    return Math.max(records, keys);
  }

  async close(): Promise<void> {
    await this.#generators.stop();
    await this.target.stop();
  }

  async #connect({ driver, pressure }: Cell): Promise<void> {
    const connections = pressure.kind === "closed" ? pressure.inFlight : openConnections;
    const name = `${driver} ${connections}`;
    if (this.#connected === name) return;
    await this.#generators.connect(driver, connections);
    this.#connected = name;
  }

  async #load(cell: Cell): Promise<Loaded> {
    const { valueBytes } = cell;
    const known = this.#loaded.get(valueBytes);
    if (known !== undefined) {
      await this.#use(cell, known, known.records);
      return known;
    }
    const { records, say } = this.#options;
    const count = Math.max(1, Math.min(records, Math.floor(loadedBytesMax / valueBytes)));
    const loaded = { prefix: `bench-${this.#name}-${byteName(valueBytes)}-`, records: count };
    say(`  loading ${count} keys of ${byteName(valueBytes)} B through ${cell.driver}`);
    await this.#use(cell, loaded, 0);
    const failures = await this.#generators.fill(0, count);
    if (failures > 0) throw new Error(`${failures} of ${count} keys could not be loaded`);
    this.#loaded.set(valueBytes, loaded);
    await this.#use(cell, loaded, count);
    return loaded;
  }

  async #use({ valueBytes }: Cell, { prefix }: Loaded, records: number): Promise<void> {
    await this.#generators.use({ prefix, records, valueBytes });
  }

  #plan({ workload, distribution, pressure }: Cell, round: number): RunPlan {
    const { seconds, operationsMax, seed } = this.#options;
    return { workload, distribution, pressure, seconds, operationsMax, seed: seed + round };
  }
}
