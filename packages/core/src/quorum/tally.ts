import { invariant } from "../invariant.ts";

/** `reached` and `unreachable` are each reported once, by the vote that decided. */
export type TallyVerdict = "undecided" | "reached" | "unreachable";

/** Who votes where two sets must agree: the owners of now, those that are to be, or both. */
export type VoterSet = "present" | "next" | "both";

/**
 * Counts the votes of a fan-out: `required` successes among `asked` decide it one way, too many
 * failures the other. Votes after the verdict are counted and decide nothing.
 *
 * With `askedNext` there are two sets of voters, which may overlap, and the quorum is joint: so
 * many must succeed in each of them, and too many failures in either end it.
 */
export class QuorumTally {
  readonly #required: number;
  readonly #asked: number;
  readonly #askedNext: number;
  #succeeded = 0;
  #failed = 0;
  #succeededNext = 0;
  #failedNext = 0;
  #isDecided = false;

  constructor(required: number, asked: number, askedNext: number = 0) {
    invariant(required >= 1, "a quorum requires at least one vote");
    invariant(asked >= required, "a quorum asks at least as many as it requires");
    invariant(askedNext === 0 || askedNext >= required, "both sets of a quorum have its size");
    this.#required = required;
    this.#asked = asked;
    this.#askedNext = askedNext;
  }

  /** Of the present set, as is what failed. */
  get succeeded(): number {
    return this.#succeeded;
  }

  get failed(): number {
    return this.#failed;
  }

  /** True when everyone asked has voted. */
  get isComplete(): boolean {
    return this.#isPresentComplete && this.#isNextComplete;
  }

  /** Records one vote, and says whether it decided the outcome. */
  record(success: boolean, voter: VoterSet = "present"): TallyVerdict {
    if (voter !== "next") this.#recordPresent(success);
    if (voter !== "present") this.#recordNext(success);
    if (this.#isDecided) return "undecided";
    const required = this.#required;
    const isReached = this.#succeeded >= required;
    const isReachable = this.#asked - this.#failed >= required;
    if (this.#askedNext === 0) {
      if (isReached) return this.#decide("reached");
      return isReachable ? "undecided" : this.#decide("unreachable");
    }
    if (isReached && this.#succeededNext >= required) return this.#decide("reached");
    const isNextReachable = this.#askedNext - this.#failedNext >= required;
    return isReachable && isNextReachable ? "undecided" : this.#decide("unreachable");
  }

  get #isPresentComplete(): boolean {
    return this.#succeeded + this.#failed === this.#asked;
  }

  get #isNextComplete(): boolean {
    return this.#succeededNext + this.#failedNext === this.#askedNext;
  }

  #recordPresent(success: boolean): void {
    invariant(!this.#isPresentComplete, "nobody votes twice");
    if (success) this.#succeeded += 1;
    else this.#failed += 1;
  }

  #recordNext(success: boolean): void {
    invariant(!this.#isNextComplete, "nobody votes twice, or in a set that was not asked");
    if (success) this.#succeededNext += 1;
    else this.#failedNext += 1;
  }

  #decide(verdict: TallyVerdict): TallyVerdict {
    this.#isDecided = true;
    return verdict;
  }
}
