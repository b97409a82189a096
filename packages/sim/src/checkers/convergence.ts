import type { Checker, Violation } from "../history.ts";

/** After a read of all replicas, their own copies are equal. */
export const convergence: Checker = (_history, final) => {
  const violations: Violation[] = [];
  for (const { key, copies } of final) {
    if (new Set(copies.values()).size <= 1) continue;
    const held = [...copies].map(([node, digest]) => `${node}=${digest || "nothing"}`);
    violations.push({ checker: "convergence", key, detail: held.join(" ") });
  }
  return violations;
};
