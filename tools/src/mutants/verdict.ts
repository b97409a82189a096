/** What one copy of the code is found to do. */
export interface Verdict {
  /** How many seeds were run: the last one failed, if any did. */
  readonly seeds: number;
  readonly caught?: {
    /** The checker, or `the run itself` if an invariant stopped it or it never came to its end. */
    readonly by: string;
    readonly detail: string;
  };
  /** Scenarios that did not go as they tell. */
  readonly scenarios: readonly string[];
}
