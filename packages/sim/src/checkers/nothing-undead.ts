import type { Checker, Violation } from "../history.ts";

/** What an acknowledged put or delete had read and replaced is not in the final read. */
export const nothingUndead: Checker = (history, final) => {
  const violations: Violation[] = [];
  for (const { key, values } of final) {
    for (const value of values) {
      const killer = history
        .writesOf(key)
        .find((write) => write.outcome === "ok" && history.pastOf(write.number).has(value));
      if (killer === undefined) continue;
      const detail = `${value} is there although ${killer.kind} ${killer.number} had replaced it`;
      violations.push({ checker: "nothing-undead", key, detail });
    }
  }
  return violations;
};
