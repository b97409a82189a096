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

/** Places are bits of one integer. */
const placesMax = 31;

/**
 * Counts the votes of a fan-out in which fallbacks may stand in for primaries. There is a place for
 * each primary, and a place has one vote: the primary's once it has said yes, until then that of
 * its fallback. Every place begins with its primary asked.
 */
export class SloppyTally {
  readonly #quorum: SloppyQuorum;
  #primaryYes = 0;
  #primaryNo = 0;
  #fallbackAsked = 0;
  #fallbackYes = 0;
  #fallbackNo = 0;
  #isDecided = false;

  constructor(quorum: SloppyQuorum) {
    const { all, primaries, places } = quorum;
    invariant(all >= 1, "a quorum requires at least one vote");
    invariant(all <= places, "a quorum has a place for each vote it requires");
    invariant(primaries <= places, "no more primaries are required than there are");
    invariant(places <= placesMax, "a key has few replicas");
    this.#quorum = quorum;
  }

  /** Places for which the primary itself has said yes. */
  get primaries(): number {
    return count(this.#primaryYes);
  }

  /** Places for which only a fallback has. */
  get fallbacks(): number {
    return count(this.#fallbackYes & ~this.#primaryYes);
  }

  /** True while the primary of this place has not answered. */
  isPending(place: number): boolean {
    return ((this.#primaryYes | this.#primaryNo) & this.#bit(place)) === 0;
  }

  /** True if a fallback was asked in place of this primary, whatever became of it. */
  hasStandIn(place: number): boolean {
    return (this.#fallbackAsked & this.#bit(place)) !== 0;
  }

  /** A fallback was asked in place of this primary. To be called before its primary's no is. */
  standIn(place: number): void {
    invariant(!this.hasStandIn(place), "a place has one fallback at a time");
    this.#fallbackAsked |= this.#bit(place);
  }

  /** Records one vote, and says whether it decided the outcome. */
  record(place: number, voter: Voter, success: boolean): TallyVerdict {
    this.#note(this.#bit(place), voter, success);
    if (this.#isDecided) return "undecided";
    const { all, primaries, places } = this.#quorum;
    const yes = this.primaries;
    if (yes >= primaries && yes + this.fallbacks >= all) return this.#decide("reached");
    const withoutPrimary = this.#primaryNo;
    const withoutBoth = withoutPrimary & ~(this.#fallbackAsked & ~this.#fallbackNo);
    const isLost = places - count(withoutPrimary) < primaries || places - count(withoutBoth) < all;
    return isLost ? this.#decide("unreachable") : "undecided";
  }

  #note(bit: number, voter: Voter, success: boolean): void {
    if (voter === "primary") {
      invariant(((this.#primaryYes | this.#primaryNo) & bit) === 0, notAsked);
      if (success) this.#primaryYes |= bit;
      else this.#primaryNo |= bit;
      return;
    }
    const voted = this.#fallbackYes | this.#fallbackNo;
    invariant((this.#fallbackAsked & ~voted & bit) !== 0, notAsked);
    if (success) this.#fallbackYes |= bit;
    else this.#fallbackNo |= bit;
  }

  #decide(verdict: TallyVerdict): TallyVerdict {
    this.#isDecided = true;
    return verdict;
  }

  #bit(place: number): number {
    const isPlace = place >= 0 && place < this.#quorum.places;
    invariant(isPlace, "a place is counted from 0, in the order of the primaries");
    return 1 << place;
  }
}

const notAsked = "nobody votes twice, or without being asked";

/** How many places there are in a set. */
function count(places: number): number {
  let left = places;
  let found = 0;
  for (; left !== 0; left &= left - 1) found += 1;
  return found;
}
