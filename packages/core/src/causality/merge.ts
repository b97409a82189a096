import { compareBytes } from "../bytes/compare.ts";
import { joinDeadWrites } from "./dead-writes.ts";
import { isSpent } from "./expiry.ts";
import { compareHybridTime } from "./hybrid-clock.ts";
import { type CausalRecord, type Sibling, compareDots, compareSiblings } from "./record.ts";
import type { Dot, VersionVector } from "./version-vector.ts";

/**
 * Joins two records of one key: the least record that has seen all that both have seen.
 * Commutative, associative, idempotent. A dot survives when both records hold it, or when one
 * holds it and the other's clock has not seen it: then the other never knew it. A dot that the
 * other's clock covers but the other does not hold was overwritten or deleted there.
 *
 * Siblings with one write id are one write that was retried, and become one sibling; a sibling
 * whose write id the other side remembers as dead was overwritten under another dot, and goes.
 * (Two merges in another order may differ for a sibling whose dead id was *forgotten* in between;
 * the results still merge to one: what one of them dropped, the other drops then.)
 *
 * Returns `left` itself when `right` adds nothing, so that a caller need not write it again.
 */
export function mergeRecords(left: CausalRecord, right: CausalRecord): CausalRecord {
  if (left === right) return left;
  const clock = left.clock.merge(right.clock);
  const deadWrites = joinDeadWrites(left.deadWrites, right.deadWrites);
  const siblings = joinSiblings(left, right);
  if (
    clock === left.clock &&
    deadWrites === left.deadWrites &&
    sameSiblings(siblings, left.siblings)
  ) {
    return left;
  }
  return { clock, siblings, deadWrites };
}

/** True if `record` holds something that was overwritten or deleted in `other`. */
export function holdsWhatIsGone(record: CausalRecord, other: CausalRecord): boolean {
  const { clock, deadWrites, siblings } = other;
  return record.siblings.some((sibling) => {
    // Records made one of the other share most of their siblings.
    if (siblings.includes(sibling)) return false;
    if (deadWrites.isDead(sibling.writeId)) return true;
    return survivingDots(sibling, clock, siblings) !== sibling.dots;
  });
}

function joinSiblings(left: CausalRecord, right: CausalRecord): readonly Sibling[] {
  if (left.siblings.length === 0 && right.siblings.length === 0) return left.siblings;
  const joined: Sibling[] = [];
  for (const sibling of left.siblings) addSurvivor(joined, sibling, right);
  for (const sibling of right.siblings) addSurvivor(joined, sibling, left);
  return joined.sort(compareSiblings);
}

/** Adds what is left of `sibling` after `other` had its say, joined with its twin if it has one. */
function addSurvivor(joined: Sibling[], sibling: Sibling, other: CausalRecord): void {
  // Asked of the other side's own list: the joined one may have forgotten the id meanwhile.
  if (other.deadWrites.isDead(sibling.writeId)) return;
  const dots = survivingDots(sibling, other.clock, other.siblings);
  if (dots.length === 0) return;
  const survivor = dots === sibling.dots ? sibling : { ...sibling, dots };
  for (let at = 0; at < joined.length; at += 1) {
    const known = joined[at] as Sibling;
    if (!isSameWrite(known, survivor)) continue;
    joined[at] = joinTwins(known, survivor);
    return;
  }
  joined.push(survivor);
}

function survivingDots(
  sibling: Sibling,
  clock: VersionVector,
  siblings: readonly Sibling[],
): readonly Dot[] {
  const survives = (dot: Dot): boolean => !clock.covers(dot) || holdsDot(siblings, dot);
  return sibling.dots.every(survives) ? sibling.dots : sibling.dots.filter(survives);
}

function holdsDot(siblings: readonly Sibling[], dot: Dot): boolean {
  return siblings.some((sibling) => hasDot(sibling, dot));
}

/** A sibling has one dot nearly always: a loop costs less than a closure for each. */
function hasDot({ dots }: Sibling, { actor, counter }: Dot): boolean {
  for (let at = 0; at < dots.length; at += 1) {
    const held = dots[at] as Dot;
    if (held.counter === counter && held.actor === actor) return true;
  }
  return false;
}

function isSameWrite(left: Sibling, right: Sibling): boolean {
  if (left.writeId !== undefined && left.writeId === right.writeId) return true;
  for (let at = 0; at < left.dots.length; at += 1) {
    if (hasDot(right, left.dots[at] as Dot)) return true;
  }
  return false;
}

/** One write under several dots. Which copy's value is kept depends on the copies alone. */
function joinTwins(left: Sibling, right: Sibling): Sibling {
  const dots = [...left.dots];
  for (const dot of right.dots) {
    if (!dots.some((known) => compareDots(known, dot) === 0)) dots.push(dot);
  }
  const earlier = compareCopies(left, right) <= 0 ? left : right;
  if (dots.length === earlier.dots.length) return earlier;
  return { ...earlier, dots: dots.sort(compareDots) };
}

/** A spent copy comes first: what one replica no longer has, the others need not keep. */
function compareCopies(left: Sibling, right: Sibling): number {
  return (
    Number(isSpent(right)) - Number(isSpent(left)) ||
    compareHybridTime(left.writtenAt, right.writtenAt) ||
    compareDeadlines(left.expiresAtMs, right.expiresAtMs) ||
    compareBytes(left.value, right.value) ||
    (left.contentType < right.contentType ? -1 : Number(left.contentType > right.contentType))
  );
}

/** The earlier deadline first; none is the latest of all. */
function compareDeadlines(left: number | undefined, right: number | undefined): number {
  if (left === right) return 0;
  if (left === undefined) return 1;
  return right === undefined ? -1 : left - right;
}

function sameSiblings(left: readonly Sibling[], right: readonly Sibling[]): boolean {
  return (
    left.length === right.length && left.every((sibling, at) => isIdentical(sibling, right[at]))
  );
}

function isIdentical(left: Sibling, right: Sibling | undefined): boolean {
  if (left === right) return true;
  return (
    right !== undefined &&
    left.dots.length === right.dots.length &&
    left.dots.every((dot, at) => compareDots(dot, right.dots[at] as Dot) === 0) &&
    compareCopies(left, right) === 0
  );
}
