import type { Checker, Violation, WriteNumber } from "../history.ts";

/** No read returns two values of which one was written by someone who had read the other. */
export const noFalseSibling: Checker = (history, final) => {
  const violations: Violation[] = [];
  const check = (key: string, values: readonly WriteNumber[]): void => {
    if (values.length < 2) return;
    for (const value of values) {
      const successor = values.find((other) => history.pastOf(other).has(value));
      if (successor === undefined && values.indexOf(value) === values.lastIndexOf(value)) continue;
      const detail = `siblings [${values.join(", ")}], but ${value} is older than ${successor}`;
      violations.push({ checker: "no-false-sibling", key, detail });
    }
  };
  for (const { key, values } of history.reads) check(key, values);
  for (const { key, values } of final) check(key, values);
  return violations;
};
