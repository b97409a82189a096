import { invariant } from "../invariant.ts";

/** `reached` and `unreachable` are each reported once, by the vote that decided. */
export type TallyVerdict = "undecided" | "reached" | "unreachable";

/**
 * Counts the votes of a fan-out: `required` successes among `asked` decide it one way, too many
 * failures the other. Votes after the verdict are counted and decide nothing.
 */
export class QuorumTally {
  readonly #required: number;
  readonly #asked: number;
  #succeeded = 0;
  #failed = 0;
  #isDecided = false;

  constructor(required: number, asked: number) {
    invariant(required >= 1, "a quorum requires at least one vote");
    invariant(asked >= required, "a quorum asks at least as many as it requires");
    this.#required = required;
    this.#asked = asked;
  }

  get succeeded(): number {
    return this.#succeeded;
  }

  get failed(): number {
    return this.#failed;
  }

  /** True when everyone asked has voted. */
  get isComplete(): boolean {
    return this.#succeeded + this.#failed === this.#asked;
  }

  /** Records one vote, and says whether it decided the outcome. */
  record(success: boolean): TallyVerdict {
    invariant(!this.isComplete, "nobody votes twice");
    if (success) this.#succeeded += 1;
    else this.#failed += 1;
    if (this.#isDecided) return "undecided";
    if (this.#succeeded >= this.#required) return this.#decide("reached");
    if (this.#asked - this.#failed < this.#required) return this.#decide("unreachable");
    return "undecided";
  }

  #decide(verdict: TallyVerdict): TallyVerdict {
    this.#isDecided = true;
    return verdict;
  }
}
