import { limits } from "@coterie/core";
import type { Checker, History, Violation, WriteNumber } from "../history.ts";

/**
 * A key has no more siblings than puts on it that may have happened, of which none had read
 * another; and never more than the limit and the puts that were under way when it was reached. In
 * an `lww` bucket a read shows one value.
 */
export const boundedSiblings: Checker = (history, final) => {
  const violations: Violation[] = [];
  for (const { key, values } of [...history.reads, ...final]) {
    const most = siblingsMax(history, key);
    if (values.length <= most) continue;
    const detail = `${values.length} siblings, and ${most} at most can be`;
    violations.push({ checker: "bounded-siblings", key, detail });
  }
  return violations;
};

function siblingsMax(history: History, key: string): number {
  if (history.promisesOf(key).policy === "lww") return 1;
  const puts: WriteNumber[] = [];
  for (const { kind, outcome, number } of history.writesOf(key)) {
    if (kind === "put" && outcome !== "refused") puts.push(number);
  }
  return Math.min(puts.length, 2 * limits.siblingsPerKeyMax);
}
