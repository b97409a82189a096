import { type DeadWrite, DeadWrites, joinDeadWrites } from "./dead-writes.ts";
import type { CausalRecord, Sibling } from "./record.ts";

/**
 * The deadline of a sibling that has passed its own and whose value is gone: no clock is so slow
 * that it would still show it.
 */
const spent = 0;

/** True if the deadline of this sibling has come, by a clock that shows `nowMs`. */
export function isExpired({ expiresAtMs }: Sibling, nowMs: number): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs;
}

/** The siblings whose deadline has not come; the same array if that is all of them. */
export function unexpiredSiblings(siblings: readonly Sibling[], nowMs: number): readonly Sibling[] {
  const isAlive = (sibling: Sibling): boolean => !isExpired(sibling, nowMs);
  return siblings.every(isAlive) ? siblings : siblings.filter(isAlive);
}

/**
 * Drops the expired siblings and keeps the clock: a causal delete of exactly their dots, which
 * merges like one. Their write ids stay as dead ones, so that a late retry does not revive them.
 * Returns `record` itself when nothing has expired. Not for what an `lww` bucket holds on to, see
 * {@link spendExpired}.
 */
export function dropExpired(record: CausalRecord, nowMs: number): CausalRecord {
  const siblings = unexpiredSiblings(record.siblings, nowMs);
  if (siblings === record.siblings) return record;
  const died: DeadWrite[] = [];
  for (const sibling of record.siblings) {
    const { writeId, writtenAt } = sibling;
    if (writeId === undefined || !isExpired(sibling, nowMs)) continue;
    died.push({ writeId, writtenAtMs: writtenAt.wallMs });
  }
  const deadWrites = joinDeadWrites(record.deadWrites, DeadWrites.of(died));
  return { ...record, siblings, deadWrites };
}

/**
 * Drops the values of the expired siblings and keeps their dots and times. In an `lww` bucket the
 * latest sibling hides the others, and goes on hiding them when it has expired: dropped whole, it
 * would uncover an older one that reaches this replica later. Merging prefers the spent copy, so
 * that this too is a change that merges. Returns `record` itself when there is nothing to spend.
 */
export function spendExpired(record: CausalRecord, nowMs: number): CausalRecord {
  const isDue = (sibling: Sibling): boolean => isExpired(sibling, nowMs) && !isSpent(sibling);
  if (!record.siblings.some(isDue)) return record;
  const siblings = record.siblings.map((sibling) =>
    isDue(sibling)
      ? { ...sibling, value: sibling.value.slice(0, 0), contentType: "", expiresAtMs: spent }
      : sibling,
  );
  return { ...record, siblings };
}

/** True if this sibling's value is gone and only its dots and times are left. */
export function isSpent({ expiresAtMs }: Sibling): boolean {
  return expiresAtMs === spent;
}

/**
 * The first deadline at which something can be taken from this record. `undefined`: it stays as it
 * is. `empty`: there is nothing to take, it is a tombstone or its values are spent.
 */
export type NextDeadline = number | "empty" | undefined;

export function nextDeadlineMs({ siblings }: CausalRecord): NextDeadline {
  let next: NextDeadline = "empty";
  for (const { expiresAtMs } of siblings) next = earlierDeadline(next, expiresAtMs);
  return next;
}

/** The next deadline of a record with one sibling more. */
export function earlierDeadline(next: NextDeadline, expiresAtMs: number | undefined): NextDeadline {
  if (expiresAtMs === spent) return next;
  if (next === "empty" || next === undefined) return expiresAtMs;
  return expiresAtMs === undefined ? next : Math.min(next, expiresAtMs);
}
