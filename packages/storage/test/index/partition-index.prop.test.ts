import {
  type RangeDigest,
  type Token,
  classIn,
  compareTokens,
  emptyRange,
  joinRanges,
  partitionOf,
} from "@coterie/core";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { Location } from "../../src/index/location.ts";
import { PartitionIndex } from "../../src/index/partition-index.ts";

const partitions = 3;
const partition = 1;

/** Tokens of the partition: spread, crowded at one place or at the end, and some of them equal. */
const token: fc.Arbitrary<Token> = fc
  .oneof(
    fc.record({ high: fc.integer({ min: 0x5555_5556, max: 0xaaaa_aaaa }), low: fc.nat() }),
    fc.record({ high: fc.integer({ min: 0xaaaa_aa00, max: 0xaaaa_aaaa }), low: fc.nat(2) }),
    fc.record({ high: fc.constant(0x6000_0000), low: fc.nat(5) }),
  )
  .filter((each) => partitionOf(each, partitions) === partition);

type Step =
  | { readonly kind: "insert"; readonly token: Token }
  | { readonly kind: "remove" | "replace"; readonly at: number }
  | { readonly kind: "reload" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant("insert" as const), token }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("remove" as const), at: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("replace" as const), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.constant({ kind: "reload" as const }) },
);

interface Entry {
  readonly token: Token;
  offset: number;
}

function locationAt(offset: number): Location {
  const digest = { high: offset, low: ~offset >>> 0 };
  return { segment: 7, offset, length: 40, digest, due: offset % 4, isWide: offset % 3 === 0 };
}

function slotOf(index: PartitionIndex, { token: wanted, offset }: Entry): number {
  const { first, end } = index.find(wanted);
  for (let slot = first; slot < end; slot += 1) {
    if (index.location(slot).offset === offset) return slot;
  }
  throw new Error("the entry is not in the index");
}

function contentOf(index: PartitionIndex, after: Token | undefined): readonly Entry[] {
  return [...index.slotsAfter(after)].map((slot) => ({
    token: index.token(slot),
    offset: index.location(slot).offset,
  }));
}

function sumOf(entries: readonly Entry[], above: number): RangeDigest {
  return entries
    .map(({ offset }) => locationAt(offset).digest)
    .filter(({ low }) => classIn(low) > above)
    .reduce<RangeDigest>((sum, digest) => joinRanges(sum, { ...digest, count: 1 }), emptyRange);
}

/** Entries with one token may come in any order. */
function sorted(entries: readonly Entry[]): readonly Entry[] {
  return entries.toSorted(
    (left, right) => compareTokens(left.token, right.token) || left.offset - right.offset,
  );
}

it("holds what a sorted array holds, in the order of tokens", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: "max" }), token, (steps, after) => {
      let index = new PartitionIndex(partition, partitions);
      let model: Entry[] = [];
      let next = 1;
      for (const each of steps) {
        if (each.kind === "insert") {
          model.push({ token: each.token, offset: next });
          index.insert(each.token, locationAt(next));
          next += 1;
        } else if (each.kind === "reload") {
          const words = index.export();
          index = new PartitionIndex(partition, partitions);
          index.import(words);
        } else {
          const entry = model[each.at % Math.max(1, model.length)];
          if (entry === undefined) continue;
          const slot = slotOf(index, entry);
          if (each.kind === "remove") {
            index.remove(slot);
            model = model.filter((other) => other !== entry);
          } else {
            entry.offset = next;
            index.replace(slot, locationAt(next));
            next += 1;
          }
        }
      }
      const all = contentOf(index, undefined);
      expect(sorted(all)).toEqual(sorted(model));
      expect(all.map((entry) => entry.token)).toEqual(sorted(model).map((entry) => entry.token));
      const rest = model.filter((entry) => compareTokens(entry.token, after) > 0);
      expect(sorted(contentOf(index, after))).toEqual(sorted(rest));
      expect(index.count).toBe(model.length);
      expect(index.wide).toBe(model.filter(({ offset }) => offset % 3 === 0).length);
      for (const above of [0, 7, 40]) {
        const isBefore = (each: Entry): boolean => compareTokens(each.token, after) < 0;
        const before = { from: { high: 0x5555_5556, low: 0 }, until: after, above };
        const behind = { from: after, until: undefined, above };
        expect(index.root(above)).toEqual(sumOf(model, above));
        expect(index.digest(before)).toEqual(sumOf(model.filter(isBefore), above));
        const others = model.filter((each) => !isBefore(each));
        expect(index.digest(behind)).toEqual(sumOf(others, above));
      }
      for (const until of [0, 1, 2, 3]) {
        // 0 is never, and 1 that there is nothing to take.
        const due = model.filter(({ offset }) => offset % 4 > 1 && offset % 4 <= until);
        const tokens = sorted(due).map((entry) => entry.token);
        expect(index.due(until, undefined, 999)).toEqual(tokens);
        // Looked through once, it must not have forgotten what is due later.
        expect(index.due(until, undefined, 3)).toEqual(tokens.slice(0, 3));
        const later = tokens.filter((each) => compareTokens(each, after) > 0);
        expect(index.due(until, after, 999)).toEqual(later);
      }
      for (const entry of model) {
        expect(index.location(slotOf(index, entry))).toEqual(locationAt(entry.offset));
        const { first, end } = index.find(entry.token);
        const equal = model.filter((other) => compareTokens(other.token, entry.token) === 0);
        expect(end - first).toBe(equal.length);
      }
    }),
    { numRuns: 1000 },
  );
}, 60_000);

it("takes at most 37 bytes per key when it is full, and finds keys in few steps", () => {
  const index = new PartitionIndex(0, 1);
  let best = Number.POSITIVE_INFINITY;
  for (let key = 0; key < 50_000; key += 1) {
    const high = Math.imul(key, 0x9e37_79b1) >>> 0;
    index.insert({ high, low: key }, locationAt(key + 1));
    if (key > 10_000) best = Math.min(best, index.bytes / index.count);
  }
  expect(best).toBeLessThan(36.7);
  expect(index.bytes / index.count).toBeLessThan(47);
});
