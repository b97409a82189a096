import { type CaseResult, runCase } from "../replay/run-case.ts";

export interface SeedOptions {
  /** Runs the seed twice, and demands the same of both. */
  readonly isRepeated: boolean;
}

/** Lines that show how a failing seed came to its end. */
const lastLines = 50;

/** Runs one seed. What comes of it is plain data: it travels between threads. */
export async function runSeed(seed: number, { isRepeated }: SeedOptions): Promise<CaseResult> {
  const first = await runCase(seed, { traceLinesMax: lastLines });
  if (!isRepeated) return first;
  const second = await runCase(seed, { traceLinesMax: lastLines });
  const operations = first.operations + second.operations;
  const pages = first.pages + second.pages;
  const probes = first.probes + second.probes;
  if (second.traceHash === first.traceHash) return { ...first, operations, pages, probes };
  const differs = `determinism: trace ${first.traceHash} first, and then ${second.traceHash}`;
  const violations = [...(first.failure?.violations ?? []), differs];
  return { ...first, operations, pages, probes, failure: { checker: "determinism", violations } };
}
