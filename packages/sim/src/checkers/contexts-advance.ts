import { ContextSeal, VersionVector, decodeContext, utf8 } from "@coterie/core";
import { contextKey } from "../cluster.ts";
import type { Checker, History, Violation } from "../history.ts";

interface Seen {
  readonly invokedMs: number;
  readonly settledMs: number;
  readonly vector: VersionVector;
  /** Of a read: primaries that answered. */
  readonly asked: number | undefined;
  /** Primaries that hold at least so much from then on. */
  readonly holders: number | undefined;
}

/**
 * Contexts never go backwards: one that a read returns covers every context that came with an
 * acknowledged put of that key, or with a read that can be repeated, before it began; of those that
 * it must have met, as `freshness` has it. Where tombstones are reaped, a key's past is forgotten
 * with them: then only what came so late counts that it cannot have been. And once clocks were cut,
 * what a read returns need not name what was overwritten before.
 */
export const contextsAdvance: Checker = (history) => {
  const violations: Violation[] = [];
  for (const key of history.keys()) {
    const { reads, all } = contextsOf(history, key);
    const joins = new Map<number | undefined, readonly VersionVector[]>();
    for (const read of reads) {
      const { invokedMs, vector, asked } = read;
      const known = joins.get(asked) ?? joinsMetBy(history, key, all, asked);
      joins.set(asked, known);
      const before = all.findLastIndex(({ settledMs }) => settledMs < invokedMs);
      const { reapedAfterMs } = history;
      const earlier =
        reapedAfterMs === undefined
          ? known[before]
          : joinsMetBy(history, key, latest(all, read, reapedAfterMs), asked).at(-1);
      if (earlier === undefined || vector.descends(earlier)) continue;
      const detail = `a read at ${invokedMs} ms returned a context older than one before it`;
      violations.push({ checker: "contexts-advance", key, detail });
    }
  }
  return violations;
};

/** What had come by each of the contexts, of those that a read of so many primaries meets. */
function joinsMetBy(
  history: History,
  key: string,
  all: readonly Seen[],
  asked: number | undefined,
): readonly VersionVector[] {
  let joined: VersionVector = VersionVector.empty;
  return all.map(({ vector, holders }) => {
    if (history.meets(key, holders, asked)) joined = joined.merge(vector);
    return joined;
  });
}

/** Of what had settled before a read, what no reaping can have taken the past from. */
function latest(all: readonly Seen[], { invokedMs }: Seen, reapedAfterMs: number): readonly Seen[] {
  return all.filter(
    ({ settledMs }) => settledMs < invokedMs && settledMs > invokedMs - reapedAfterMs,
  );
}

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
  for (const read of history.readsOf(key)) {
    const { isStrict, isRepeatable, context, settledMs, asked, staleMs = 0 } = read;
    const invokedMs = read.invokedMs - staleMs;
    if (!isStrict || context === undefined) continue;
    if (settledMs >= Math.min(history.forgottenSince(key), history.cutSinceMs)) continue;
    const holders = history.holdersAfter(key, read);
    const seen = { invokedMs, settledMs, vector: vectorOf(context), asked, holders };
    reads.push(seen);
    // A tombstone that is read may be reaped the moment after.
    const isLasting = history.reapedAfterMs === undefined || read.values.length > 0;
    if (isRepeatable && isLasting) all.push(seen);
  }
  for (const { context, invokedMs, settledMs, holders } of history.writesOf(key)) {
    if (context === undefined) continue;
    all.push({ invokedMs, settledMs, vector: vectorOf(context), asked: undefined, holders });
  }
  all.sort((left, right) => left.settledMs - right.settledMs);
  return { reads, all };
}
