import type { Checker, Violation, WriteNumber } from "../history.ts";

/** Every value read was put to that very key, whole, by a write that was not refused. */
export const noPhantom: Checker = (history, final) => {
  const violations: Violation[] = [];
  const check = (key: string, values: readonly WriteNumber[]): void => {
    for (const value of values) {
      const write = history.write(value);
      const isReal = write?.key === key && write.kind === "put" && write.outcome !== "refused";
      if (isReal) continue;
      const detail = `value ${value} was read, and was never written there`;
      violations.push({ checker: "no-phantom", key, detail });
    }
  };
  for (const { key, values } of history.reads) check(key, values);
  for (const { key, values } of final) check(key, values);
  return violations;
};
