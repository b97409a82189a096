import { ContextSeal, VersionVector, decodeContext, utf8 } from "@coterie/core";
import { contextKey } from "../cluster.ts";
import type { Checker, History, Violation } from "../history.ts";

interface Seen {
  readonly invokedMs: number;
  readonly settledMs: number;
  readonly vector: VersionVector;
}

/**
 * Contexts never go backwards: one that a strict read returns covers every context that came
 * with an acknowledged put of that key, or with a read that can be repeated, before it began.
 */
export const contextsAdvance: Checker = (history) => {
  const violations: Violation[] = [];
  for (const key of history.keys()) {
    if (!history.promisesOf(key).isStrict) continue;
    const { reads, all } = contextsOf(history, key);
    const known: VersionVector[] = [];
    let joined: VersionVector = VersionVector.empty;
    for (const { vector } of all) {
      joined = joined.merge(vector);
      known.push(joined);
    }
    for (const { invokedMs, vector } of reads) {
      const before = all.findLastIndex(({ settledMs }) => settledMs < invokedMs);
      const earlier = known[before];
      if (earlier === undefined || vector.descends(earlier)) continue;
      const detail = `a read at ${invokedMs} ms returned a context older than one before it`;
      violations.push({ checker: "contexts-advance", key, detail });
    }
  }
  return violations;
};

/** All contexts of a key in the order in which they came, and those of strict reads. */
function contextsOf(
  history: History,
  key: string,
): { readonly reads: readonly Seen[]; readonly all: readonly Seen[] } {
  const slash = key.indexOf("/");
  const place = { bucket: key.slice(0, slash), key: utf8(key.slice(slash + 1)) };
  const seal = new ContextSeal(contextKey);
  const decoded = new Map<string, VersionVector>();
  const vectorOf = (text: string): VersionVector => {
    const known = decoded.get(text);
    if (known !== undefined) return known;
    const context = decodeContext(text, place, seal);
    const vector = context.ok ? context.context.vector : VersionVector.empty;
    decoded.set(text, vector);
    return vector;
  };
  const reads: Seen[] = [];
  const all: Seen[] = [];
  for (const { isStrict, isRepeatable, context, invokedMs, settledMs } of history.readsOf(key)) {
    if (!isStrict || context === undefined) continue;
    if (settledMs >= history.forgottenSince(key)) continue;
    const seen = { invokedMs, settledMs, vector: vectorOf(context) };
    reads.push(seen);
    if (isRepeatable) all.push(seen);
  }
  for (const { context, invokedMs, settledMs } of history.writesOf(key)) {
    if (context !== undefined) all.push({ invokedMs, settledMs, vector: vectorOf(context) });
  }
  all.sort((left, right) => left.settledMs - right.settledMs);
  return { reads, all };
}
