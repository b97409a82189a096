import * as fc from "fast-check";
import { expect, it } from "vitest";
import { utf8 } from "../../src/bytes/text.ts";
import { redisSlotOf, redisSlots } from "../../src/ring/redis-slot.ts";
import { Ring } from "../../src/ring/ring.ts";
import { type SlotRange, slotRanges, slotsByNode } from "../../src/ring/slot-ranges.ts";
import type { KeyHash } from "../../src/ring/token.ts";
import { documentOf, membersOf, modestSettings } from "./members.ts";

const everybody = (): boolean => true;

function ringOf(hash: KeyHash, partitions: number, nodes: number): Ring {
  return new Ring(documentOf({ ...modestSettings(partitions, 3), hash }, membersOf(nodes)));
}

/** First and last slot, and whom it names. */
function linesOf(ranges: readonly SlotRange[]): readonly string[] {
  return ranges.map(({ first, last, members }) => {
    return `${first}-${last} ${members.map(({ id }) => id).join(" ")}`;
  });
}

const hash = fc.constantFrom<KeyHash>("md5", "redis-slots");
const partitionCount = fc.oneof(fc.integer({ min: 1, max: 80 }), fc.constantFrom(1000, redisSlots));
const nodeCount = fc.integer({ min: 1, max: 6 });

it("names every slot once, in order, with one to n nodes that serve", () => {
  fc.assert(
    fc.property(hash, partitionCount, nodeCount, fc.nat(), (kind, partitions, nodes, down) => {
      const ring = ringOf(kind, partitions, nodes);
      const absent = nodes > 1 ? ring.document.members[down % nodes] : undefined;
      const isServing = (member: unknown): boolean => member !== absent;
      const ranges = slotRanges(ring.document, { n: 2, isServing });
      let next = 0;
      for (const { first, last, members } of ranges) {
        const isInOrder = first === next && last >= first;
        const isFew = members.length >= 1 && members.length <= 2;
        const isDistinct = new Set(members).size === members.length;
        next = last + 1;
        if (isInOrder && isFew && isDistinct && members.every(isServing)) continue;
        expect.fail(`${first}-${last} ${members.map(({ id }) => id).join(" ")}`);
      }
      expect(next).toBe(redisSlots);
      const counted = slotsByNode(ranges).flatMap((each) => each.ranges);
      expect(counted.reduce((sum, { first, last }) => sum + last - first + 1, 0)).toBe(redisSlots);
    }),
    { numRuns: 60 },
  );
}, 30_000);

it("with redis-slots names the owners of a key's partition for the key's slot", () => {
  fc.assert(
    fc.property(partitionCount, nodeCount, fc.string(), (partitions, nodes, text) => {
      const ring = ringOf("redis-slots", partitions, nodes);
      const bucket = { ...ring.document.settings.buckets[0], n: 1 } as never;
      const slot = redisSlotOf(utf8(text));
      const range = slotRanges(ring.document, { n: 1, isServing: everybody }).find(
        ({ first, last }) => first <= slot && slot <= last,
      );
      expect(range?.members).toEqual(
        ring.plan({ bucket: "redis", key: utf8(text) }, bucket).primaries,
      );
    }),
    { numRuns: 60 },
  );
}, 30_000);

it("splits the slots evenly over the nodes where slots say nothing of owners", () => {
  const ring = ringOf("md5", 64, 3);
  expect(linesOf(slotRanges(ring.document, { n: 2, isServing: everybody }))).toEqual([
    "0-5461 n01 n02",
    "5462-10922 n02 n03",
    "10923-16383 n03 n01",
  ]);
});

it("gives the slots of a node that does not serve to others, and leaves theirs", () => {
  const isServing = ({ id }: { readonly id: string }): boolean => id !== "n02";
  expect(linesOf(slotRanges(ringOf("md5", 64, 3).document, { n: 1, isServing }))).toEqual([
    "0-5461 n01",
    "5462-16383 n03",
  ]);
  const placed = ringOf("redis-slots", 4, 5);
  const first = placed.owners(0)[0]?.id;
  const ranges = slotRanges(placed.document, { n: 1, isServing: ({ id }) => id !== first });
  expect(ranges[0]?.members).toEqual([placed.owners(0)[1]]);
  const owners = new Set<string>(placed.owners(0).map(({ id }) => id));
  const others = slotRanges(placed.document, { n: 1, isServing: ({ id }) => !owners.has(id) });
  expect(owners.has(others[0]?.members[0]?.id ?? "")).toBe(false);
});

it("joins the ranges of each node that lie side by side", () => {
  const ring = ringOf("redis-slots", 6, 1);
  const ranges = slotRanges(ring.document, { n: 1, isServing: everybody });
  expect(linesOf(ranges)).toEqual(["0-16383 n01"]);
  const two = slotRanges(ringOf("md5", 1, 2).document, { n: 2, isServing: everybody });
  expect(slotsByNode(two).map(({ member, ranges: own }) => [member.id, own])).toEqual([
    ["n01", [{ first: 0, last: 8191 }]],
    ["n02", [{ first: 8192, last: 16_383 }]],
  ]);
});
