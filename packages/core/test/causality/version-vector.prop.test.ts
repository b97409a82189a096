import * as fc from "fast-check";
import { expect, it } from "vitest";
import { VersionVector } from "../../src/index.ts";
import { actorNamed } from "./history.ts";

const dot = fc.record({
  actor: fc.nat(5).map(actorNamed),
  counter: fc.integer({ min: 1, max: 3 }),
});
const dots = fc.array(dot, { maxLength: 8 });
const vector = dots.map((some) => VersionVector.of(some));
const runs = { numRuns: 1000 };

it("a vector covers exactly what its dots claim", () => {
  fc.assert(
    fc.property(dots, dot, (some, asked) => {
      const claims = some.some(
        ({ actor, counter }) => actor === asked.actor && counter >= asked.counter,
      );
      expect(VersionVector.of(some).covers(asked)).toBe(claims);
      expect(VersionVector.of(some.toReversed()).toString()).toBe(
        VersionVector.of(some).toString(),
      );
    }),
    runs,
  );
});

it("merge is the least vector that descends both", () => {
  fc.assert(
    fc.property(vector, vector, vector, (left, right, upper) => {
      const merged = left.merge(right);
      expect([merged.descends(left), merged.descends(right)]).toEqual([true, true]);
      expect(upper.descends(merged)).toBe(upper.descends(left) && upper.descends(right));
      expect(merged.compare(right.merge(left))).toBe("equal");
    }),
    runs,
  );
});

it("order is decided by what each covers", () => {
  fc.assert(
    fc.property(vector, vector, (left, right) => {
      const descends = [...right.entries()].every((entry) => left.covers(entry));
      const descended = [...left.entries()].every((entry) => right.covers(entry));
      expect(left.descends(right)).toBe(descends);
      expect(left.conflicts(right)).toBe(!descends && !descended);
      expect(left.compare(right) === "equal").toBe(descends && descended);
    }),
    runs,
  );
});

it("a dot added is covered, and nothing else changes", () => {
  fc.assert(
    fc.property(vector, dot, (before, added) => {
      const after = before.with(added);
      expect(after.get(added.actor)).toBe(Math.max(before.get(added.actor), added.counter));
      const others = [...before.entries()].filter(({ actor }) => actor !== added.actor);
      for (const { actor, counter } of others) expect(after.get(actor)).toBe(counter);
      const actors = [...after.entries()].map(({ actor }) => actor as string);
      expect(actors).toEqual(actors.toSorted());
    }),
    runs,
  );
});
