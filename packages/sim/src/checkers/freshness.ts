import type { Checker, Violation } from "../history.ts";

/**
 * With r + w > n, a strict read begun after a put was acknowledged returns it, or something that
 * replaced it; unless a delete that knew of it may have happened before the read ended. The same
 * holds for what an earlier read returned: strict reads are monotonic. And it returns nothing that
 * a write acknowledged by then had replaced or deleted.
 */
export const freshness: Checker = (history) => {
  const violations: Violation[] = [];
  for (const read of history.reads) {
    for (const value of read.values) {
      const killer = history.writes.find(
        (write) =>
          write.outcome === "ok" &&
          write.settledMs < read.invokedMs &&
          history.pastOf(write.number).has(value),
      );
      if (killer === undefined) continue;
      const detail =
        `a read at ${read.invokedMs} ms returned ${value}, which ${killer.kind} ` +
        `${killer.number} had replaced by then`;
      violations.push({ checker: "freshness", key: read.key, detail });
    }
    const known = new Set<number>();
    for (const write of history.writes) {
      const isEarlier = write.outcome === "ok" && write.settledMs < read.invokedMs;
      if (isEarlier && write.kind === "put" && write.key === read.key) known.add(write.number);
    }
    for (const earlier of history.reads) {
      if (earlier.key !== read.key || earlier.settledMs >= read.invokedMs) continue;
      for (const value of earlier.values) known.add(value);
    }
    for (const number of known) {
      if (history.isCovered(number, read.values)) continue;
      const deletes = history.deletesOf(number, read.key);
      if (deletes.some((write) => write.invokedMs <= read.settledMs)) continue;
      const detail =
        `a read at ${read.invokedMs} ms returned [${read.values.join(", ")}] although ` +
        `${number} was known by then`;
      violations.push({ checker: "freshness", key: read.key, detail });
    }
  }
  return violations;
};
