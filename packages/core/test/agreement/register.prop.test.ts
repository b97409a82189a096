import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Changes, type PlantedBug, RegisterWorld } from "./register-world.ts";

type Step = readonly [
  kind: "propose" | "deliver" | "repeat" | "lose" | "crash" | "sync" | "toggle",
  which: number,
];

const which = fc.nat({ max: 1000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.tuple(fc.constant("propose" as const), which), weight: 2 },
  { arbitrary: fc.tuple(fc.constant("deliver" as const), which), weight: 60 },
  { arbitrary: fc.tuple(fc.constant("repeat" as const), which), weight: 3 },
  { arbitrary: fc.tuple(fc.constant("lose" as const), which), weight: 2 },
  { arbitrary: fc.tuple(fc.constant("crash" as const), which), weight: 1 },
  { arbitrary: fc.tuple(fc.constant("sync" as const), which), weight: 1 },
  { arbitrary: fc.tuple(fc.constant("toggle" as const), which), weight: 1 },
);
const run = fc.record({
  acceptors: fc.integer({ min: 1, max: 7 }),
  proposers: fc.integer({ min: 1, max: 4 }),
  steps: fc.array(step, { minLength: 50, maxLength: 500, size: "max" }),
});

function play(
  { acceptors, proposers, steps }: { acceptors: number; proposers: number; steps: readonly Step[] },
  bug: PlantedBug = {},
): RegisterWorld {
  const world = new RegisterWorld(acceptors, proposers, bug);
  for (const [kind, at] of steps) {
    if (kind === "deliver") world.deliver(at, true);
    else if (kind === "repeat") world.deliver(at, false);
    else world[kind](at);
  }
  return world;
}

/**
 * What was chosen is one history: of any two chosen values one was made from the other, so that no
 * two proposers won the same version and no change that was chosen is missing from a later one.
 */
function problem(chosen: readonly { value: Changes; change: string }[]): string | undefined {
  const byLength = chosen.map(({ value }) => value).toSorted((a, b) => a.length - b.length);
  for (const [at, value] of byLength.entries()) {
    const longer = byLength[at + 1];
    if (longer === undefined) continue;
    if (value.some((change, index) => longer[index] !== change)) {
      return `${JSON.stringify(value)} is no beginning of ${JSON.stringify(longer)}`;
    }
  }
  const lost = chosen.find(({ value, change }) => !value.includes(change));
  return lost === undefined ? undefined : `${lost.change} was acknowledged and is not in its value`;
}

describe("a register changed by compare-and-set through majorities", () => {
  it("has one history, whatever is lost, repeated, reordered or crashes", () => {
    fc.assert(
      fc.property(run, (input) => {
        expect(problem(play(input).chosen)).toBeUndefined();
      }),
      { numRuns: 1500 },
    );
  });

  it("goes on when everybody is back, and keeps all that was chosen", () => {
    let chosenBefore = 0;
    fc.assert(
      fc.property(run, (input) => {
        const world = play(input);
        chosenBefore += world.chosen.length;
        world.heal();
        const last = world.chosen.at(-1)?.value ?? [];
        expect(problem(world.chosen)).toBeUndefined();
        for (const { change } of world.chosen) expect(last).toContain(change);
        expect(last.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
    expect(chosenBefore).toBeGreaterThan(500);
  });

  it.each<[string, PlantedBug]>([
    ["acceptors that answer before they are durable", { forgets: true }],
    ["proposers that ask too few", { countsShort: true }],
    ["proposers that take any value instead of the latest", { takesAny: true }],
  ])("the property finds %s", (_, bug) => {
    const found = fc.check(
      fc.property(run, (input) => problem(play(input, bug).chosen) === undefined),
      { numRuns: 5000, endOnFailure: true, seed: 1 },
    );
    expect(found.failed).toBe(true);
  });
});
