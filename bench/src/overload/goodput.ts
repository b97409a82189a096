import type { RunResult } from "../generator/plan.ts";

/** Operations per second that were done while the load lasted; what came later came too late. */
export function goodputOf({ tenths }: Pick<RunResult, "tenths">, seconds: number): number {
  const inTime = tenths.slice(0, Math.floor(seconds * 10));
  return inTime.reduce((sum, count) => sum + count, 0) / seconds;
}

/** Of the rate offered, so much done counts as all of it: operations are due at uneven times. */
const normalShare = 0.9;
/** And for so many tenths of a second in a row. */
const normalTenths = 3;

/** Milliseconds until what is offered is done; infinite if that never happens. */
export function recoveryMsOf(tenths: readonly number[], perSecond: number): number {
  const least = (perSecond / 10) * normalShare;
  const at = tenths.findIndex((_, first) => {
    const next = tenths.slice(first, first + normalTenths);
    return next.length === normalTenths && next.every((count) => count >= least);
  });
  return at < 0 ? Number.POSITIVE_INFINITY : at * 100;
}
