import { invariant } from "../invariant.ts";
import type { TallyVerdict } from "./tally.ts";

/** Who may vote for a replica: the primary itself, or a fallback in its place. */
export type Voter = "primary" | "fallback";

export interface SloppyQuorum {
  /** Votes required in all. */
  readonly all: number;
  /** Of these, votes of primaries. */
  readonly primaries: number;
  /** How many primaries there are; each is asked. */
  readonly places: number;
}

/** What is known of a place: bits of one byte. */
const primaryYes = 1;
const primaryNo = 2;
const fallbackAsked = 4;
const fallbackYes = 8;
const fallbackNo = 16;

/**
 * Counts the votes of a fan-out in which fallbacks may stand in for primaries. There is a place for
 * each primary, and a place has one vote: the primary's once it has said yes, until then that of
 * its fallback. Every place begins with its primary asked.
 */
export class SloppyTally {
  readonly #quorum: SloppyQuorum;
  readonly #places: Uint8Array;
  #isDecided = false;

  constructor(quorum: SloppyQuorum) {
    const { all, primaries, places } = quorum;
    invariant(all >= 1, "a quorum requires at least one vote");
    invariant(all <= places, "a quorum has a place for each vote it requires");
    invariant(primaries <= places, "no more primaries are required than there are");
    this.#quorum = quorum;
    this.#places = new Uint8Array(places);
  }

  /** Places for which the primary itself has said yes. */
  get primaries(): number {
    return this.#count(primaryYes, primaryYes);
  }

  /** Places for which only a fallback has. */
  get fallbacks(): number {
    return this.#count(primaryYes | fallbackYes, fallbackYes);
  }

  /** True while the primary of this place has not answered. */
  isPending(place: number): boolean {
    return (this.#at(place) & (primaryYes | primaryNo)) === 0;
  }

  /** True if a fallback was asked in place of this primary, whatever became of it. */
  hasStandIn(place: number): boolean {
    return (this.#at(place) & fallbackAsked) !== 0;
  }

  /** A fallback was asked in place of this primary. To be called before its primary's no is. */
  standIn(place: number): void {
    invariant(!this.hasStandIn(place), "a place has one fallback at a time");
    this.#places[place] = this.#at(place) | fallbackAsked;
  }

  /** Records one vote, and says whether it decided the outcome. */
  record(place: number, voter: Voter, success: boolean): TallyVerdict {
    this.#note(place, voter, success);
    if (this.#isDecided) return "undecided";
    const { all, primaries, places } = this.#quorum;
    const yes = this.primaries;
    if (yes >= primaries && yes + this.fallbacks >= all) return this.#decide("reached");
    const primariesLeft = places - this.#count(primaryNo, primaryNo);
    const unasked = this.#count(primaryNo | fallbackAsked, primaryNo);
    const left = places - unasked - this.#count(primaryNo | fallbackNo, primaryNo | fallbackNo);
    return primariesLeft < primaries || left < all ? this.#decide("unreachable") : "undecided";
  }

  #note(place: number, voter: Voter, success: boolean): void {
    const known = this.#at(place);
    const isAsked =
      voter === "primary"
        ? (known & (primaryYes | primaryNo)) === 0
        : (known & (fallbackAsked | fallbackYes | fallbackNo)) === fallbackAsked;
    invariant(isAsked, "nobody votes twice, or without being asked");
    const [yes, no] = voter === "primary" ? [primaryYes, primaryNo] : [fallbackYes, fallbackNo];
    this.#places[place] = known | (success ? yes : no);
  }

  #decide(verdict: TallyVerdict): TallyVerdict {
    this.#isDecided = true;
    return verdict;
  }

  #at(place: number): number {
    const at = this.#places[place];
    invariant(at !== undefined, "a place is counted from 0, in the order of the primaries");
    return at;
  }

  /** Places of which these bits are exactly so. */
  #count(bits: number, so: number): number {
    let count = 0;
    for (const known of this.#places) if ((known & bits) === so) count += 1;
    return count;
  }
}
