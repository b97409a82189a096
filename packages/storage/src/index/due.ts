import type { NextDeadline } from "@coterie/core";

const secondsMax = 0xffff_ffff;

/** The value for a record of which nothing expires. */
export const neverDue = 0;
/** The value for a record that holds nothing that a read could show. No deadline is so early. */
export const dueEmpty = 1;

/**
 * A deadline as an index slot holds it: in whole seconds, rounded up, so that nothing looks due
 * before its time. What lies beyond the year 2106 is due then.
 */
export function dueOf(deadline: NextDeadline): number {
  if (deadline === "empty") return dueEmpty;
  if (deadline === undefined) return neverDue;
  return Math.min(Math.max(Math.ceil(deadline / 1000), dueEmpty + 1), secondsMax);
}
