import type { Checker, ClientRead, History, Violation, WriteNumber } from "../history.ts";

/**
 * A read begun after a put was acknowledged returns it, or something that replaced it, if more than
 * n primaries in all acknowledged the one and answered the other, as they do in strict mode with
 * r + w > n; unless a delete that knew of it may have happened before the read ended, or it
 * may have expired. The same
 * holds for what an earlier strict read returned if 2r > n: such reads are monotonic. And it
 * returns nothing that such a write had replaced or deleted.
 *
 * In an `lww` bucket another value may hide the put: there the read returns something.
 */
export const freshness: Checker = (history) => {
  const violations: Violation[] = [];
  for (const key of history.keys()) {
    for (const read of history.readsOf(key)) {
      if (!read.isStrict || read.settledMs >= history.forgottenSince(key)) continue;
      violations.push(...undead(history, read), ...missing(history, read));
    }
  }
  return violations;
};

/** A read that may show what was true a while ago is as good as one that began then. */
function freshSince({ invokedMs, staleMs = 0 }: ClientRead): number {
  return invokedMs - staleMs;
}

function undead(history: History, read: ClientRead): readonly Violation[] {
  const { key, values, asked } = read;
  const invokedMs = freshSince(read);
  if (values.length === 0) return [];
  const violations: Violation[] = [];
  for (const write of history.writesOf(key)) {
    if (write.outcome !== "ok" || write.settledMs >= invokedMs) continue;
    if (!history.meets(key, write.holders, asked)) continue;
    for (const value of values) {
      if (!isReplacedBy(history, value, write.number)) continue;
      const detail =
        `a read at ${invokedMs} ms returned ${value}, which ${write.kind} ` +
        `${write.number} had replaced by then`;
      violations.push({ checker: "freshness", key, detail });
    }
  }
  return violations;
}

/** A delete without a context replaces what was acknowledged before it began, if it met that. */
function isReplacedBy(history: History, value: WriteNumber, number: WriteNumber): boolean {
  if (history.pastOf(number).has(value)) return true;
  const write = history.write(number);
  const put = history.write(value);
  if (write?.isBlindDelete !== true || put?.outcome !== "ok") return false;
  return put.settledMs < write.invokedMs && history.meets(put.key, put.holders, write.asked);
}

function missing(history: History, read: ClientRead): readonly Violation[] {
  const { key, values, settledMs } = read;
  const invokedMs = freshSince(read);
  const isLww = history.promisesOf(key).policy === "lww";
  if (isLww && values.length > 0) return [];
  const violations: Violation[] = [];
  for (const number of knownBefore(history, read)) {
    if (history.isCovered(number, values)) continue;
    const put = history.write(number);
    if (put !== undefined && history.mayHaveEnded(put, settledMs)) continue;
    const detail =
      `a read at ${invokedMs} ms returned [${values.join(", ")}] although ` +
      `${number} was known by then`;
    violations.push({ checker: "freshness", key, detail });
  }
  return violations;
}

/** The values that were acknowledged or read before the read began. */
function knownBefore(history: History, read: ClientRead): ReadonlySet<WriteNumber> {
  const { key, asked } = read;
  const invokedMs = freshSince(read);
  const known = new Set<WriteNumber>();
  for (const write of history.writesOf(key)) {
    const isEarlier = write.outcome === "ok" && write.settledMs < invokedMs;
    const isPut = write.kind === "put";
    if (isEarlier && isPut && history.meets(key, write.holders, asked)) known.add(write.number);
  }
  for (const earlier of history.readsOf(key)) {
    if (!earlier.isRepeatable || earlier.settledMs >= invokedMs) continue;
    if (!history.meets(key, history.holdersAfter(key, earlier), asked)) continue;
    for (const value of earlier.values) known.add(value);
  }
  return known;
}
