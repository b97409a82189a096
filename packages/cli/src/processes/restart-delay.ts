const FIRST_MS = 1000;
const MAX_MS = 30_000;
/** A process that ran for so long has shown that it can. */
const STEADY_MS = 60_000;

/**
 * How long to wait before a process that ended is started again: longer each time that it did not
 * run for a minute. `earlierMs` is the wait before that run, 0 for the first.
 */
export function restartDelay(earlierMs: number, ranMs: number): number {
  if (earlierMs === 0 || ranMs >= STEADY_MS) return FIRST_MS;
  return Math.min(2 * earlierMs, MAX_MS);
}
