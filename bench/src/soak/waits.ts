import type { Histogram } from "hdr-histogram-js";
import type { Outcome } from "../failover/outcomes.ts";
import { newHistogram, percentilesOf, recordMs } from "../generator/histogram.ts";

/** What ended in a part of the time. */
export interface Part {
  readonly waits: Readonly<Record<Outcome["kind"], Histogram>>;
  operations: number;
  failed: number;
  readonly errors: Set<string>;
}

/** How long callers waited in several parts together. */
export interface Waits {
  readonly operations: number;
  readonly failed: number;
  readonly all: Figures;
  readonly puts: Figures;
  readonly gets: Figures;
}

interface Figures {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export function newPart(): Part {
  const waits = { put: newHistogram(), get: newHistogram() };
  return { waits, operations: 0, failed: 0, errors: new Set() };
}

/** Adds operations, each from when it was due; those that failed waited, too. */
export function addTo(part: Part, outcomes: readonly Outcome[]): void {
  for (const { kind, dueMs, endedMs, error } of outcomes) {
    recordMs(part.waits[kind], endedMs - dueMs);
    part.operations += 1;
    if (error === undefined) continue;
    part.failed += 1;
    part.errors.add(error);
  }
}

export function waitsOf(parts: readonly Part[]): Waits {
  const of = (kinds: readonly Outcome["kind"][]): Figures => {
    const merged = newHistogram();
    for (const { waits } of parts) for (const kind of kinds) merged.add(waits[kind]);
    return percentilesOf(merged);
  };
  return {
    operations: parts.reduce((sum, { operations }) => sum + operations, 0),
    failed: parts.reduce((sum, { failed }) => sum + failed, 0),
    all: of(["put", "get"]),
    puts: of(["put"]),
    gets: of(["get"]),
  };
}
