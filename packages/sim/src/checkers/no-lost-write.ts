import type { Checker, Violation } from "../history.ts";

/**
 * Every acknowledged put is in the final read of its key, or was overwritten by something in it,
 * or was deleted by someone who had read it.
 */
export const noLostWrite: Checker = (history, final) => {
  const violations: Violation[] = [];
  const valuesByKey = new Map(final.map(({ key, values }) => [key, values]));
  for (const { number, key, kind, outcome } of history.writes) {
    if (kind !== "put" || outcome !== "ok") continue;
    const values = valuesByKey.get(key) ?? [];
    if (history.isCovered(number, values)) continue;
    if (history.deletesOf(number, key).length > 0) continue;
    const detail = `acknowledged write ${number} is gone; the key holds [${values.join(", ")}]`;
    violations.push({ checker: "no-lost-write", key, detail });
  }
  return violations;
};
