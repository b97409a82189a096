import { nextDeadlineMs } from "./expiry.ts";
import type { CausalRecord, Sibling } from "./record.ts";
import { type Dot, VersionVector } from "./version-vector.ts";

/**
 * True if a record of a bucket with `copies` copies has more spare entries in its clock than that:
 * entries of actors under none of whose dots a sibling stands. Not a tombstone, nor one whose
 * values are spent: those are forgotten as a whole (docs/internals/actor-retirement.md).
 */
export function isWide(record: CausalRecord, copies: number): boolean {
  const { clock, siblings } = record;
  // Without a copy anywhere nobody could confirm what it holds.
  if (clock.size <= copies || siblings.length === 0 || copies < 1) return false;
  let spare = 0;
  for (let at = 0; at < clock.size; at += 1) {
    if (!isMinterOf(siblings, clock.actorAt(at))) spare += 1;
  }
  return spare > copies && nextDeadlineMs(record) !== "empty";
}

/**
 * The record without the spare entries of its clock. All siblings and dead write ids stay; what the
 * entries claimed to be overwritten must not be able to come any more. Returns `record` itself when
 * no entry is spare.
 */
export function cutClock(record: CausalRecord): CausalRecord {
  const { clock, siblings } = record;
  const needed: Dot[] = [];
  for (const entry of clock.entries()) if (isMinterOf(siblings, entry.actor)) needed.push(entry);
  return needed.length === clock.size ? record : { ...record, clock: VersionVector.of(needed) };
}

function isMinterOf(siblings: readonly Sibling[], actor: string): boolean {
  return siblings.some(({ dots }) => dots.some((dot) => dot.actor === actor));
}
