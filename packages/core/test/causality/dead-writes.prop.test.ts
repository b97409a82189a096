import * as fc from "fast-check";
import { expect, it } from "vitest";
import { joinDeadWrites } from "../../src/causality/dead-writes.ts";
import type { DeadWrite } from "../../src/causality/record.ts";
import type { WriteId } from "../../src/ids.ts";
import { limits } from "../../src/limits.ts";

function entriesFrom(times: readonly number[], first: number): readonly DeadWrite[] {
  return times.map((writtenAtMs, at) => {
    const writeId = (first + at * 2).toString(16).padStart(32, "0") as WriteId;
    return { writeId, writtenAtMs };
  });
}

const times = fc.array(fc.integer({ min: 1_000_000, max: 1_000_100 }), {
  minLength: 1,
  maxLength: limits.deadWritesMax,
});

it("of two lists together keeps the newest, and of those as old the first by their ids", () => {
  fc.assert(
    fc.property(times, times, (left, right) => {
      const [even, odd] = [entriesFrom(left, 0), entriesFrom(right, 1)];
      const newest = [...even, ...odd]
        .toSorted((one, other) => {
          return other.writtenAtMs - one.writtenAtMs || (one.writeId < other.writeId ? -1 : 1);
        })
        .slice(0, limits.deadWritesMax)
        .toSorted((one, other) => (one.writeId < other.writeId ? -1 : 1));
      expect(joinDeadWrites(even, odd)).toEqual(newest);
    }),
  );
});
