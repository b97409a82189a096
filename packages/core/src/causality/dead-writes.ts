import { limits } from "../limits.ts";
import type { DeadWrite } from "./record.ts";

/**
 * The write ids that a record remembers as dead form a bounded join-semilattice: of a union, the
 * entries within `deadWriteMsMax` of the newest, at most `deadWritesMax` of them, newest first. The
 * window is measured against the newest *entry*, not against a clock: so that joining is
 * commutative, associative and idempotent, and two replicas that saw the same writes agree.
 */
export function joinDeadWrites(
  left: readonly DeadWrite[],
  right: readonly DeadWrite[],
): readonly DeadWrite[] {
  if (right.length === 0 || left === right) return left;
  if (left.length === 0) return bounded(right);
  const latest = new Map<string, DeadWrite>();
  for (const entry of [...left, ...right]) {
    const known = latest.get(entry.writeId);
    if (known === undefined || entry.writtenAtMs > known.writtenAtMs)
      latest.set(entry.writeId, entry);
  }
  return bounded([...latest.values()]);
}

/** Brings entries, whose ids are distinct, into canonical form. */
export function bounded(entries: readonly DeadWrite[]): readonly DeadWrite[] {
  let newest = 0;
  for (const entry of entries) newest = Math.max(newest, entry.writtenAtMs);
  const remembered = entries.filter((entry) => entry.writtenAtMs > newest - limits.deadWriteMsMax);
  const kept =
    remembered.length <= limits.deadWritesMax
      ? remembered
      : remembered.toSorted(newestFirst).slice(0, limits.deadWritesMax);
  return kept.toSorted((left, right) => (left.writeId < right.writeId ? -1 : 1));
}

function newestFirst(left: DeadWrite, right: DeadWrite): number {
  return right.writtenAtMs - left.writtenAtMs || (left.writeId < right.writeId ? -1 : 1);
}
