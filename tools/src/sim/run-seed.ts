import { type SimulationReport, simulate } from "@coterie/sim";
import { fastTurns } from "./turns.ts";

/** What came of one seed, as plain data: it travels between threads. */
export interface SeedResult {
  readonly seed: number;
  readonly operations: number;
  readonly acknowledged: number;
  /** How often each kind of fault struck. */
  readonly faults: Readonly<Record<string, number>>;
  /** One line each; empty if every promise was kept. */
  readonly violations: readonly string[];
  /** As JSON. */
  readonly knobs: string;
  readonly traceHash: string;
  /** The last lines of the trace: of a failing seed, or if all were asked for. */
  readonly trace: readonly string[];
  readonly ms: number;
}

export interface SeedOptions {
  /** Keeps the whole trace. */
  readonly isTraced: boolean;
  /** Runs the seed twice, and demands the same of both. */
  readonly isRepeated: boolean;
}

const turns = fastTurns();
/** Lines that show how a failing seed came to its end. */
const lastLines = 50;

function drain(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Runs one seed; what is thrown, or rejected and caught by nobody, is a violation too. */
export async function runSeed(seed: number, options: SeedOptions): Promise<SeedResult> {
  const started = performance.now();
  const first = await attempt(seed, options);
  const second = options.isRepeated ? await attempt(seed, options) : first;
  const violations = [...first.violations];
  if (second.traceHash !== first.traceHash) {
    violations.push(`determinism: ${first.traceHash} the first time, then ${second.traceHash}`);
  }
  const runs = options.isRepeated ? 2 : 1;
  const isShown = options.isTraced || violations.length > 0;
  return {
    ...first,
    operations: first.operations * runs,
    violations,
    trace: isShown ? first.trace : [],
    ms: performance.now() - started,
  };
}

async function attempt(seed: number, { isTraced }: SeedOptions): Promise<SeedResult> {
  const errors: unknown[] = [];
  const note = (error: unknown): void => {
    errors.push(error);
  };
  process.on("unhandledRejection", note);
  let report: SimulationReport | undefined;
  try {
    const traceLinesMax = isTraced ? 10_000_000 : lastLines;
    report = await simulate({ seed, drain, turns, traceLinesMax });
    await drain();
  } catch (error) {
    note(error);
  }
  process.off("unhandledRejection", note);
  return resultOf(seed, report, errors);
}

function resultOf(
  seed: number,
  report: SimulationReport | undefined,
  errors: readonly unknown[],
): SeedResult {
  const violations = (report?.violations ?? []).map(
    ({ checker, key, detail }) => `${checker}: ${key === "" ? "" : `${key}: `}${detail}`,
  );
  for (const error of errors) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    violations.push(`the run itself: ${text}`);
  }
  return {
    seed,
    operations: report?.operations ?? 0,
    acknowledged: report?.acknowledged ?? 0,
    faults: Object.fromEntries(report?.faults ?? []),
    violations,
    knobs: JSON.stringify(report?.knobs ?? {}),
    traceHash: report?.traceHash ?? "",
    trace: report?.traceTail ?? [],
    ms: 0,
  };
}
