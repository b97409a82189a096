import type { Checker, Violation, WriteNumber } from "../history.ts";

/** No read returns a value that has expired by every clock. */
export const nothingExpired: Checker = (history, final) => {
  const violations: Violation[] = [];
  const check = (key: string, values: readonly WriteNumber[], atMs: number): void => {
    for (const value of values) {
      const goneMs = history.goneBy(value);
      if (goneMs >= atMs) continue;
      const detail = `${value} was read at ${atMs} ms, and had expired by ${goneMs} ms`;
      violations.push({ checker: "nothing-expired", key, detail });
    }
  };
  for (const { key, values, invokedMs } of history.reads) check(key, values, invokedMs);
  for (const { key, values } of final) check(key, values, history.finalMs.from);
  return violations;
};
