import { type Token, compareTokens } from "@coterie/core";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { RecordIndex } from "../../src/index/record-index.ts";
import type { EntryLike } from "../../src/index.ts";

const partition = 0;

/** Few tokens, so that some entries have one together. */
const token = fc.record({ high: fc.nat(6), low: fc.nat(2) });
const entry = fc.record({ token, length: fc.integer({ min: 1, max: 9 }), due: fc.nat(3) });
const like: fc.Arbitrary<EntryLike> = fc.oneof(
  fc.constantFrom<EntryLike>({ kind: "holding" }, { kind: "empty" }),
  fc.nat(10).map((bytes): EntryLike => ({ kind: "larger", bytes })),
);

function isLike({ length, due }: { length: number; due: number }, wanted: EntryLike): boolean {
  if (wanted.kind === "larger") return length > wanted.bytes;
  return wanted.kind === "empty" ? due === 1 : due !== 1;
}

it("chooses, stretch by stretch, every token of an entry that is like this, once", () => {
  const stretch = fc.record({ limit: fc.integer({ min: 1, max: 4 }), entriesMax: fc.nat(5) });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 40 }), like, stretch, (entries, wanted, sizes) => {
      const index = new RecordIndex(1);
      for (const [offset, { token: at, length, due }] of entries.entries()) {
        const digest = { high: 0, low: 0 };
        index.insert(partition, at, {
          segment: 1,
          offset,
          length,
          digest,
          due,
          isWide: offset % 2 === 0,
        });
      }
      const chosen: Token[] = [];
      let after: Token | undefined;
      for (let isOver = false; !isOver;) {
        const query = { partition, after, like: wanted, ...sizes };
        const choice = index.choose({ ...query, entriesMax: sizes.entriesMax + 1 });
        expect(choice.tokens.length).toBeLessThanOrEqual(sizes.limit);
        chosen.push(...choice.tokens);
        expect(choice.isOver || choice.last !== undefined).toBe(true);
        after = choice.last ?? after;
        ({ isOver } = choice);
      }
      const names = entries
        .filter((each) => isLike(each, wanted))
        .map((each) => nameOf(each.token));
      expect(chosen.map(nameOf).toSorted()).toEqual([...new Set(names)].toSorted());
      expect(chosen).toEqual(chosen.toSorted(compareTokens));
    }),
    { numRuns: 500 },
  );
});

it("chooses nothing in a partition that holds nothing", () => {
  const query = { partition, after: undefined, limit: 1, entriesMax: 1 };
  expect(new RecordIndex(1).choose({ ...query, like: { kind: "holding" } })).toEqual({
    tokens: [],
    last: undefined,
    isOver: true,
  });
});

function nameOf({ high, low }: Token): string {
  return `${high}:${low}`;
}
