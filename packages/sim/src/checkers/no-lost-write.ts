import type { Checker, Violation } from "../history.ts";

/**
 * Every acknowledged put is in the final read of its key, or was overwritten by something in it,
 * or was deleted by someone who had read it. In an `lww` bucket another value may hide it: there
 * the key holds something, unless something was deleted.
 */
export const noLostWrite: Checker = (history, final) => {
  const violations: Violation[] = [];
  for (const { key, values } of final) {
    const isLww = history.promisesOf(key).policy === "lww";
    if (isLww && values.length > 0) continue;
    for (const write of history.writesOf(key)) {
      if (write.kind !== "put" || write.outcome !== "ok") continue;
      if (history.isCovered(write.number, values) || history.deletesOf(write).length > 0) continue;
      const held = values.join(", ");
      const detail = `acknowledged write ${write.number} is gone; the key holds [${held}]`;
      violations.push({ checker: "no-lost-write", key, detail });
    }
  }
  return violations;
};
