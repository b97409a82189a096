import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvariantViolation, QuorumTally } from "../../src/index.ts";

const votes = fc
  .array(fc.boolean(), { minLength: 1, maxLength: 9 })
  .chain((cast) => fc.tuple(fc.constant(cast), fc.integer({ min: 1, max: cast.length })));

describe("a tally", () => {
  it("decides exactly once, as soon as the votes allow it and not before", () => {
    fc.assert(
      fc.property(votes, ([cast, required]) => {
        const tally = new QuorumTally(required, cast.length);
        const verdicts = cast.map((vote) => tally.record(vote));
        const expected = cast.map((_, index) => {
          const succeeded = cast.slice(0, index + 1).filter(Boolean).length;
          const failed = index + 1 - succeeded;
          if (succeeded >= required) return "reached";
          return cast.length - failed < required ? "unreachable" : "undecided";
        });
        const first = expected.findIndex((verdict) => verdict !== "undecided");
        expect(first).toBeGreaterThanOrEqual(0);
        expect(verdicts).toEqual(
          expected.map((verdict, index) => (index === first ? verdict : "undecided")),
        );
        expect(tally.isComplete).toBe(true);
        expect([tally.succeeded, tally.failed]).toEqual([
          cast.filter(Boolean).length,
          cast.filter((vote) => !vote).length,
        ]);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ["no votes", 0, 3],
    ["more votes than it asks for", 4, 3],
  ])("cannot require %s: such a quorum would never be decided", (_, required, asked) => {
    expect(() => new QuorumTally(required, asked)).toThrow(InvariantViolation);
  });

  it("takes no vote beyond those it asked for", () => {
    const tally = new QuorumTally(1, 1);
    tally.record(true);
    expect(() => tally.record(true)).toThrow(InvariantViolation);
  });
});
