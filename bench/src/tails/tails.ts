import type { Outcome } from "../failover/outcomes.ts";

/** How long callers waited for operations of one kind, from when each was due. */
export interface Tails {
  readonly operations: number;
  readonly failed: number;
  /** Milliseconds; infinite where so many failed, since their callers wait still. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly most: number;
}

/**
 * Of the operations of a kind that were due in a span. One that failed, or is not answered yet, is
 * one whose caller waits for ever: a store that refuses what it cannot do in time is not quick.
 */
export function tailsOf(
  outcomes: readonly Outcome[],
  kind: Outcome["kind"],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Tails {
  const due = outcomes.filter(
    (one) => one.kind === kind && one.dueMs >= fromMs && one.dueMs < toMs,
  );
  const good = due.filter(({ error }) => error === undefined);
  const waits = good.map(({ dueMs, endedMs }) => endedMs - dueMs).toSorted((a, b) => a - b);
  // The smallest wait that so large a share of all did not exceed.
  const at = (share: number): number => {
    const rank = Math.max(1, Math.ceil(due.length * share));
    return due.length === 0 ? Number.NaN : (waits[rank - 1] ?? Number.POSITIVE_INFINITY);
  };
  return {
    operations: due.length,
    failed: due.length - good.length,
    p50: at(0.5),
    p99: at(0.99),
    p999: at(0.999),
    most: waits.at(-1) ?? Number.NaN,
  };
}
