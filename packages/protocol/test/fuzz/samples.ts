import * as fc from "fast-check";

/** Some values of an arbitrary, always the same: inputs to begin with. */
export function samplesOf<Value>(arbitrary: fc.Arbitrary<Value>): readonly Value[] {
  return fc.sample(arbitrary, { seed: 1, numRuns: 30 });
}
