import {
  Arena,
  type FaultKind,
  type SwarmKnobs,
  type World,
  drawKnobs,
  simulate,
} from "@coterie/sim";
import { fastTurns } from "../sim/turns.ts";

/** What a run was judged to have done wrong. */
export interface CaseFailure {
  /** Of the first violation; `the run itself` if it ended by an error. */
  readonly checker: string;
  readonly violations: readonly string[];
}

/** What became of one seed. */
export interface CaseResult {
  readonly seed: number;
  readonly knobs: SwarmKnobs;
  readonly operations: number;
  /** Pages of scans, and operations that look for progress. */
  readonly pages: number;
  readonly probes: number;
  readonly acknowledged: number;
  /** How often each kind of fault struck. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly failure: CaseFailure | undefined;
  readonly trace: readonly string[];
  readonly traceHash: string;
}

export interface CaseOptions {
  readonly knobs?: Partial<SwarmKnobs> | undefined;
  /** Lines of the trace to keep, of the end. */
  readonly traceLinesMax?: number | undefined;
}

const turns = fastTurns();
/** Of runs that came to their ends; one that did not may still use what it has taken. */
const arenas: Arena[] = [];
const drain = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** Runs one seed; never throws. */
export async function runCase(seed: number, options: CaseOptions = {}): Promise<CaseResult> {
  const { knobs = {}, traceLinesMax = 50 } = options;
  let world: World | undefined;
  const onWorld = (made: World): void => {
    world = made;
  };
  const ended = (failure: CaseFailure | undefined): CaseResult => ({
    seed,
    knobs: { ...drawKnobs(seed), ...knobs },
    operations: 0,
    pages: 0,
    probes: 0,
    acknowledged: 0,
    faults: {},
    failure,
    trace: world?.traceTail() ?? [],
    traceHash: world?.traceHash() ?? "",
  });
  const memory = arenas.pop() ?? new Arena();
  try {
    const run = simulate({ seed, drain, turns, memory, knobs, traceLinesMax, onWorld });
    const report = await unlessUnhandled(run);
    memory.reuse();
    arenas.push(memory);
    const { operations, pages, probes, acknowledged, violations } = report;
    const [first] = violations;
    const failure = first && {
      checker: first.checker,
      violations: violations.map(({ checker, key, detail }) => `${checker} ${key}: ${detail}`),
    };
    const faults = Object.fromEntries(report.faults);
    return { ...ended(failure), operations, pages, probes, acknowledged, faults };
  } catch (error) {
    // The run may be waiting for something; nothing more happens in it.
    world?.abandon();
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return ended({ checker: "the run itself", violations: [text] });
  }
}

/** Settles like `run`, or rejects with what nobody caught meanwhile: then it may never end. */
async function unlessUnhandled<Value>(run: Promise<Value>): Promise<Value> {
  let note = (_reason: unknown): void => {};
  const unhandled = new Promise<never>((_resolve, reject) => {
    note = reject;
  });
  process.on("unhandledRejection", note);
  process.on("uncaughtException", note);
  try {
    const value = await Promise.race([run, unhandled]);
    await Promise.race([drain(), unhandled]);
    return value;
  } finally {
    process.off("unhandledRejection", note);
    process.off("uncaughtException", note);
  }
}
