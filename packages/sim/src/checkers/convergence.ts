import type { Checker, Violation } from "../history.ts";

/**
 * After a read of all replicas, their own copies are equal, but for what one has swept and another
 * one has not come to.
 */
export const convergence: Checker = (history, final) => {
  const violations: Violation[] = [];
  const { from, to } = history.finalMs;
  for (const { key, copies } of final) {
    if (new Set(copies.values()).size <= 1 || history.isExpiring(key, from, to)) continue;
    const held = [...copies].map(([node, digest]) => `${node}=${digest || "nothing"}`);
    violations.push({ checker: "convergence", key, detail: held.join(" ") });
  }
  return violations;
};
