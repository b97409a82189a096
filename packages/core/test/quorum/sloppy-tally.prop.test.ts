import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvariantViolation, SloppyTally } from "../../src/index.ts";

/** What becomes of one place: its primary's vote, and that of a fallback if there is one. */
interface Course {
  readonly primary: boolean;
  readonly fallback: boolean | undefined;
  /** The fallback is asked at once, as the primary is known to be away; else when it says no. */
  readonly isEarly: boolean;
}

const course: fc.Arbitrary<Course> = fc.record({
  primary: fc.boolean(),
  fallback: fc.option(fc.boolean(), { nil: undefined }),
  isEarly: fc.boolean(),
});

const cast = fc.array(course, { minLength: 1, maxLength: 7 }).chain((courses) =>
  fc.record({
    courses: fc.constant(courses),
    all: fc.integer({ min: 1, max: courses.length }),
    primaries: fc.integer({ min: 0, max: courses.length }),
    order: fc.shuffledSubarray(
      courses.flatMap((_, place) => [`p${place}`, `f${place}`]),
      { minLength: courses.length * 2, maxLength: courses.length * 2 },
    ),
  }),
);

/** Runs all votes in this order; a fallback votes after it was asked. */
function verdictsOf(
  tally: SloppyTally,
  courses: readonly Course[],
  order: readonly string[],
): readonly string[] {
  const verdicts: string[] = [];
  const early = courses.map(({ isEarly, fallback }) => isEarly && fallback !== undefined);
  for (const [place, isEarly] of early.entries()) if (isEarly) tally.standIn(place);
  const later: (() => void)[] = [];
  for (const vote of order) {
    const place = Number(vote.slice(1));
    const { primary, fallback } = courses[place] as Course;
    const voteOfFallback = (): void => {
      if (tally.hasStandIn(place) && fallback !== undefined) {
        verdicts.push(tally.record(place, "fallback", fallback));
      }
    };
    if (vote.startsWith("f")) {
      if (early[place] === true) voteOfFallback();
      else later.push(voteOfFallback);
      continue;
    }
    if (!primary && early[place] !== true && fallback !== undefined) tally.standIn(place);
    verdicts.push(tally.record(place, "primary", primary));
  }
  for (const vote of later) vote();
  return verdicts;
}

describe("a sloppy tally", () => {
  it("decides exactly once, and as the votes come out in the end", () => {
    fc.assert(
      fc.property(cast, ({ courses, all, primaries, order }) => {
        const tally = new SloppyTally({ all, primaries, places: courses.length });
        const verdicts = verdictsOf(tally, courses, order);
        const yes = courses.filter(({ primary }) => primary).length;
        const held = courses.filter(({ primary, fallback }) => !primary && fallback === true);
        expect([tally.primaries, tally.fallbacks]).toEqual([yes, held.length]);
        const isReached = yes >= primaries && yes + held.length >= all;
        const decided = verdicts.filter((verdict) => verdict !== "undecided");
        expect(decided).toEqual([isReached ? "reached" : "unreachable"]);
      }),
      { numRuns: 2000 },
    );
  });

  it("counts a place once: its primary's vote takes the place of its fallback's", () => {
    const tally = new SloppyTally({ all: 2, primaries: 0, places: 2 });
    tally.standIn(0);
    expect(tally.record(0, "fallback", true)).toBe("undecided");
    expect(tally.record(0, "primary", true)).toBe("undecided");
    expect([tally.primaries, tally.fallbacks]).toEqual([1, 0]);
  });

  it("never counts a fallback as a primary", () => {
    const tally = new SloppyTally({ all: 1, primaries: 1, places: 2 });
    tally.standIn(0);
    expect(tally.record(0, "fallback", true)).toBe("undecided");
    expect(tally.record(0, "primary", false)).toBe("undecided");
    expect(tally.record(1, "primary", false)).toBe("unreachable");
  });

  it("takes no vote of a fallback that nobody asked, and none twice", () => {
    const tally = new SloppyTally({ all: 1, primaries: 0, places: 1 });
    expect(() => tally.record(0, "fallback", true)).toThrow(InvariantViolation);
    tally.record(0, "primary", true);
    expect(() => tally.record(0, "primary", true)).toThrow(InvariantViolation);
  });
});
