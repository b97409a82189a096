/** Who waits for something that is asked for: told once how it ended, in one way or the other. */
export interface Ending<Outcome> {
  settle(outcome: Outcome): void;
  /** A defect, where nobody was meant to see one. */
  fail(error: unknown): void;
}

/** Ends as the promise does. */
export function endAs<Outcome>(promise: Promise<Outcome>, ending: Ending<Outcome>): void {
  promise.then(
    (outcome) => ending.settle(outcome),
    (error: unknown) => ending.fail(error),
  );
}

/** A promise of how that ends which `begin` begins. */
export function promiseOf<Outcome>(begin: (ending: Ending<Outcome>) => void): Promise<Outcome> {
  return new Promise((settle, fail) => begin({ settle, fail }));
}
