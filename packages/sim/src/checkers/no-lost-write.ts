import type { Checker, History, Violation, WriteNumber } from "../history.ts";

/**
 * Every acknowledged put is in the final read of its key, or was overwritten by something in it,
 * or was deleted by someone who had read it. So is a put that a repeatable read returned, whether
 * it was acknowledged or not. In an `lww` bucket another value may hide it: there the key holds
 * something, unless something was deleted.
 */
export const noLostWrite: Checker = (history, final) => {
  const violations: Violation[] = [];
  for (const { key, values } of final) {
    const isLww = history.promisesOf(key).policy === "lww";
    if (isLww && values.length > 0) continue;
    const read = readOf(history, key);
    for (const write of history.writesOf(key)) {
      const { number } = write;
      const isAcknowledged = write.outcome === "ok";
      if (write.kind !== "put" || !(isAcknowledged || read.has(number))) continue;
      if (history.isCovered(number, values)) continue;
      if (history.mayHaveEnded(write, history.finalMs.to)) continue;
      const title = isAcknowledged
        ? `acknowledged write ${number}`
        : `write ${number}, which was read,`;
      const held = values.join(", ");
      const detail = `${title} is gone; the key holds [${held}]`;
      violations.push({ checker: "no-lost-write", key, detail });
    }
  }
  return violations;
};

/** What strict reads must return ever since. */
function readOf(history: History, key: string): ReadonlySet<WriteNumber> {
  const read = new Set<WriteNumber>();
  // A directory that forgot may have been one of those that a read relied on.
  if (history.forgottenSince(key) < Number.POSITIVE_INFINITY) return read;
  for (const each of history.readsOf(key)) {
    if (history.holdersAfter(key, each) > 0) for (const value of each.values) read.add(value);
  }
  return read;
}
