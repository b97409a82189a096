const secondsMax = 0xffff_ffff;

/** The value for a record of which nothing expires. */
export const neverDue = 0;

/**
 * A deadline as an index slot holds it: in whole seconds, rounded up, so that nothing looks due
 * before its time. What lies beyond the year 2106 is due then.
 */
export function dueOf(deadlineMs: number | undefined): number {
  if (deadlineMs === undefined) return neverDue;
  return Math.min(Math.ceil(deadlineMs / 1000), secondsMax);
}
