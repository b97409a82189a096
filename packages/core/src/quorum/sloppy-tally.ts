import { invariant } from "../invariant.ts";
import type { TallyVerdict } from "./tally.ts";

/** Who may vote for a replica: the primary itself, or a fallback in its place. */
export type Voter = "primary" | "fallback";

type Vote = "none" | "pending" | "yes" | "no";

interface Place {
  primary: Vote;
  fallback: Vote;
}

export interface SloppyQuorum {
  /** Votes required in all. */
  readonly all: number;
  /** Of these, votes of primaries. */
  readonly primaries: number;
  /** How many primaries there are; each is asked. */
  readonly places: number;
}

/**
 * Counts the votes of a fan-out in which fallbacks may stand in for primaries. There is a place for
 * each primary, and a place has one vote: the primary's once it has said yes, until then that of
 * its fallback. Every place begins with its primary asked.
 */
export class SloppyTally {
  readonly #quorum: SloppyQuorum;
  readonly #places: readonly Place[];
  #isDecided = false;

  constructor(quorum: SloppyQuorum) {
    const { all, primaries, places } = quorum;
    invariant(all >= 1, "a quorum requires at least one vote");
    invariant(all <= places, "a quorum has a place for each vote it requires");
    invariant(primaries <= places, "no more primaries are required than there are");
    this.#quorum = quorum;
    this.#places = Array.from({ length: places }, () => ({ primary: "pending", fallback: "none" }));
  }

  /** Places for which the primary itself has said yes. */
  get primaries(): number {
    return this.#count(({ primary }) => primary === "yes");
  }

  /** Places for which only a fallback has. */
  get fallbacks(): number {
    return this.#count(({ primary, fallback }) => primary !== "yes" && fallback === "yes");
  }

  /** True while the primary of this place has not answered. */
  isPending(place: number): boolean {
    return this.#at(place).primary === "pending";
  }

  /** True if a fallback was asked in place of this primary, whatever became of it. */
  hasStandIn(place: number): boolean {
    return this.#at(place).fallback !== "none";
  }

  /** A fallback was asked in place of this primary. To be called before its primary's no is. */
  standIn(place: number): void {
    const at = this.#at(place);
    invariant(at.fallback === "none", "a place has one fallback at a time");
    at.fallback = "pending";
  }

  /** Records one vote, and says whether it decided the outcome. */
  record(place: number, voter: Voter, success: boolean): TallyVerdict {
    const at = this.#at(place);
    invariant(at[voter] === "pending", "nobody votes twice, or without being asked");
    at[voter] = success ? "yes" : "no";
    if (this.#isDecided) return "undecided";
    const { all, primaries } = this.#quorum;
    const yes = this.primaries;
    if (yes >= primaries && yes + this.fallbacks >= all) return this.#decide("reached");
    const primariesLeft = this.#count(({ primary }) => primary !== "no");
    const left = this.#count(
      ({ primary, fallback }) => primary !== "no" || fallback === "pending" || fallback === "yes",
    );
    return primariesLeft < primaries || left < all ? this.#decide("unreachable") : "undecided";
  }

  #decide(verdict: TallyVerdict): TallyVerdict {
    this.#isDecided = true;
    return verdict;
  }

  #at(place: number): Place {
    const at = this.#places[place];
    invariant(at !== undefined, "a place is counted from 0, in the order of the primaries");
    return at;
  }

  #count(predicate: (place: Place) => boolean): number {
    let count = 0;
    for (const place of this.#places) if (predicate(place)) count += 1;
    return count;
  }
}
