/**
 * Thrown when Coterie itself is wrong. Never caught below a process's `main`: the process stops,
 * and in simulation the seed fails. Expected failures are outcomes, never this.
 */
export class InvariantViolation extends Error {
  override readonly name = "InvariantViolation";
}

/** Stops the process unless `condition` holds. `fact` states, as a sentence, what must be true. */
export function invariant(condition: boolean, fact: string): asserts condition {
  if (!condition) throw new InvariantViolation(fact);
}
