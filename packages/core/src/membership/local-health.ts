/** Most that the multiplier adds (S in the Lifeguard paper, section IV.A). */
const scoreMax = 8;

/**
 * Lifeguard's local health multiplier: how much this node has reason to doubt itself. Answers that
 * come lower it; failed probes whose helpers are silent too, accusations of itself and stalls of
 * its own process raise it. Whoever doubts itself probes less often, waits longer for answers, and
 * accuses later.
 */
export class LocalHealth {
  #score = 0;

  /** 0 when there is no doubt. */
  get score(): number {
    return this.#score;
  }

  /** What times are multiplied by. */
  get multiplier(): number {
    return this.#score + 1;
  }

  worsen(by: number): void {
    this.#score = Math.min(scoreMax, this.#score + by);
  }

  improve(): void {
    this.#score = Math.max(0, this.#score - 1);
  }
}
