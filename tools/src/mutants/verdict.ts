import type { SwarmKnobs } from "@coterie/sim";

/** What one copy of the code is found to do. */
export interface Verdict {
  /** How many seeds were run: the last one failed, if any did. */
  readonly seeds: number;
  readonly caught?: Caught | undefined;
  /** Scenarios that did not go as they tell. */
  readonly scenarios: readonly string[];
}

/** How a bug was found. */
export interface Caught {
  /** The checker, or `the run itself` if an invariant stopped it or it never came to its end. */
  readonly by: string;
  readonly detail: string;
  /** The smallest case found that the same checker objects to; if it was asked for. */
  readonly shrunk?: SwarmKnobs | undefined;
}
