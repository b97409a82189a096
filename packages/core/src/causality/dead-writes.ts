import type { WriteId } from "../ids.ts";
import { limits } from "../limits.ts";
import type { CausalRecord, DeadWrite } from "./record.ts";

/**
 * The write ids that a record remembers as dead form a bounded join-semilattice: of a union, the
 * entries within `deadWriteMsMax` of the newest, at most `deadWritesMax` of them, newest first. The
 * window is measured against the newest *entry*, not against a clock: so that joining is
 * commutative, associative and idempotent, and two replicas that saw the same writes agree.
 * Returns `left` itself when `right` adds nothing to it.
 */
export function joinDeadWrites(
  left: readonly DeadWrite[],
  right: readonly DeadWrite[],
): readonly DeadWrite[] {
  if (left === right || right.every((entry) => isKnown(left, entry))) return left;
  // The usual case of all: one write was read, and it is in canonical form by itself.
  if (left.length === 0 && right.length === 1) return right;
  const joined = bounded(unionOfAny(left, right));
  return isSame(joined, left) ? left : joined;
}

/** Records and contexts have them sorted; ids of siblings that die together come in any order. */
function unionOfAny(left: readonly DeadWrite[], right: readonly DeadWrite[]): readonly DeadWrite[] {
  if (isSorted(right)) return union(left, right);
  let all = left;
  for (const entry of right) all = union(all, [entry]);
  return all;
}

function isSorted(entries: readonly DeadWrite[]): boolean {
  for (let at = 1; at < entries.length; at += 1) {
    if ((entries[at - 1] as DeadWrite).writeId >= (entries[at] as DeadWrite).writeId) return false;
  }
  return true;
}

/** Of two lists sorted by their ids, one that is. */
function union(left: readonly DeadWrite[], right: readonly DeadWrite[]): readonly DeadWrite[] {
  const entries: DeadWrite[] = [];
  let at = 0;
  for (const entry of right) {
    while (at < left.length && (left[at] as DeadWrite).writeId < entry.writeId) {
      entries.push(left[at] as DeadWrite);
      at += 1;
    }
    const known = left[at];
    if (known?.writeId === entry.writeId) {
      entries.push(joinEntries(known, entry));
      at += 1;
    } else entries.push(entry);
  }
  for (; at < left.length; at += 1) entries.push(left[at] as DeadWrite);
  return entries;
}

/** True if `entry` adds nothing to `writes`, which are sorted by their ids. */
function isKnown(writes: readonly DeadWrite[], entry: DeadWrite): boolean {
  let from = 0;
  for (let to = writes.length; from < to;) {
    const middle = (from + to) >> 1;
    if ((writes[middle] as DeadWrite).writeId < entry.writeId) from = middle + 1;
    else to = middle;
  }
  const known = writes[from];
  return known?.writeId === entry.writeId && joinEntries(known, entry) === known;
}

/** True if `writeId` is among the ids remembered as dead: no copy of that write may live on. */
export function isDead(deadWrites: readonly DeadWrite[], writeId: WriteId | undefined): boolean {
  if (writeId === undefined) return false;
  // Asked for every sibling of every merge: a loop makes no closure.
  for (let at = 0; at < deadWrites.length; at += 1) {
    const entry = deadWrites[at] as DeadWrite;
    if (entry.writeId === writeId) return entry.isUnread !== true;
  }
  return false;
}

/** True if `writeId` is among the ids remembered at all: a retry of that write changes nothing. */
export function isRemembered(deadWrites: readonly DeadWrite[], writeId: WriteId): boolean {
  return deadWrites.some((entry) => entry.writeId === writeId);
}

const none: readonly DeadWrite[] = [];

/**
 * What `before` says of writes and `after`, which was made of it, does not say any more: ids that
 * were cut from the list, and those of siblings that went without being remembered. Of those nobody
 * knows who had read them: they count as unread.
 */
export function deadWritesGone(before: CausalRecord, after: CausalRecord): readonly DeadWrite[] {
  const siblings = siblingsGone(before, after);
  if (before.deadWrites === after.deadWrites && siblings.length === 0) return none;
  const gone: DeadWrite[] = [];
  const kept = after.deadWrites;
  let at = 0;
  for (const entry of before.deadWrites) {
    while (at < kept.length && (kept[at] as DeadWrite).writeId < entry.writeId) at += 1;
    if (kept[at]?.writeId !== entry.writeId) gone.push(entry);
  }
  return siblings.length === 0 ? gone : [...gone, ...siblings];
}

function siblingsGone(before: CausalRecord, after: CausalRecord): readonly DeadWrite[] {
  if (before.siblings === after.siblings) return none;
  let gone = none;
  for (const { writeId, writtenAt } of before.siblings) {
    if (writeId === undefined || isRemembered(after.deadWrites, writeId)) continue;
    if (after.siblings.some((sibling) => sibling.writeId === writeId)) continue;
    gone = [...gone, { writeId, writtenAtMs: writtenAt.wallMs, isUnread: true }];
  }
  return gone;
}

/** The later of two times, and dead if either is. */
function joinEntries(left: DeadWrite, right: DeadWrite): DeadWrite {
  const { writeId } = left;
  const writtenAtMs = Math.max(left.writtenAtMs, right.writtenAtMs);
  const isUnread = left.isUnread === true && right.isUnread === true;
  if (writtenAtMs === left.writtenAtMs && isUnread === (left.isUnread === true)) return left;
  return isUnread ? { writeId, writtenAtMs, isUnread } : { writeId, writtenAtMs };
}

/** Brings entries, sorted by their ids, into canonical form. */
function bounded(entries: readonly DeadWrite[]): readonly DeadWrite[] {
  let newest = 0;
  for (const entry of entries) newest = Math.max(newest, entry.writtenAtMs);
  const remembered = entries.filter((entry) => entry.writtenAtMs > newest - limits.deadWriteMsMax);
  while (remembered.length > limits.deadWritesMax) remembered.splice(oldest(remembered), 1);
  return remembered;
}

/** Where the oldest is. Of a key that is written all the time each write drops just one. */
function oldest(entries: readonly DeadWrite[]): number {
  let found = 0;
  for (let at = 1; at < entries.length; at += 1) {
    if (newestFirst(entries[at] as DeadWrite, entries[found] as DeadWrite) > 0) found = at;
  }
  return found;
}

function isSame(left: readonly DeadWrite[], right: readonly DeadWrite[]): boolean {
  return left.length === right.length && left.every((entry, at) => entry === right[at]);
}

function newestFirst(left: DeadWrite, right: DeadWrite): number {
  return right.writtenAtMs - left.writtenAtMs || (left.writeId < right.writeId ? -1 : 1);
}
