import type { WriteId } from "../ids.ts";
import { DeadWrites } from "./dead-writes.ts";
import { compareHybridTime, type HybridTime } from "./hybrid-clock.ts";
import { type Dot, VersionVector } from "./version-vector.ts";

/**
 * One value of a key. Usually it has one dot; it has several when a client's retry reached another
 * coordinator, which minted a second dot for the same write.
 */
export interface Sibling {
  /** At least one, sorted by actor. */
  readonly dots: readonly Dot[];
  readonly value: Uint8Array;
  /** As the client gave it; empty if it gave none. */
  readonly contentType: string;
  readonly writtenAt: HybridTime;
  readonly writeId: WriteId | undefined;
  /**
   * Wall time from which on no read returns it; `undefined`: it stays. 0 marks one whose value is
   * gone already, see `expiry.ts`.
   */
  readonly expiresAtMs: number | undefined;
}

/**
 * All that a key holds: a dotted version vector set, in the form of an optimised OR-set (Bieniusa
 * et al., 2012). `clock` covers the dots of every sibling that is or ever was there; a record with
 * a clock and no siblings is a *tombstone*. Immutable.
 */
export interface CausalRecord {
  readonly clock: VersionVector;
  /** In canonical order: by first dot. Their dots are covered by `clock` and distinct. */
  readonly siblings: readonly Sibling[];
  /** Bounded, see `dead-writes.ts`. */
  readonly deadWrites: DeadWrites;
}

export const emptyRecord: CausalRecord = {
  clock: VersionVector.empty,
  siblings: [],
  deadWrites: DeadWrites.none,
};

/** Order of dots: by actor, then counter. */
export function compareDots(left: Dot, right: Dot): number {
  if (left.actor !== right.actor) return left.actor < right.actor ? -1 : 1;
  return left.counter - right.counter;
}

/** Canonical order of a record's siblings: by their first dots, which differ. */
export function compareSiblings(left: Sibling, right: Sibling): number {
  return compareDots(left.dots[0] as Dot, right.dots[0] as Dot);
}

/**
 * The sibling that an `lww` bucket shows: the latest by hybrid time, then by dot. The others stay
 * in the record until a put or delete covers them: dropping them in a merge would make merging
 * depend on its order (a delete of the winner, merged late, would or would not bring back the
 * loser).
 */
export function latestSibling(siblings: readonly Sibling[]): Sibling | undefined {
  let latest: Sibling | undefined;
  for (const sibling of siblings) {
    if (latest === undefined || compareLatestFirst(sibling, latest) < 0) latest = sibling;
  }
  return latest;
}

/** The order in which an `lww` bucket prefers siblings: by hybrid time, then by dot. */
export function compareLatestFirst(left: Sibling, right: Sibling): number {
  return compareHybridTime(right.writtenAt, left.writtenAt) || compareSiblings(right, left);
}
