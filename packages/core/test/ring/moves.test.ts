import { expect, it } from "vitest";
import type { BucketSettings, ClusterDocument, Move } from "../../src/ring/cluster-document.ts";
import {
  contextKeyOf,
  decodeDocument,
  encodeDocument,
  placementTag,
} from "../../src/ring/document-codec.ts";
import { Ring } from "../../src/ring/ring.ts";
import { documentOf, membersOf, settingsOf } from "./members.ts";

const formed = documentOf(settingsOf(4), membersOf(5));

/** Partition 0 moves from its third owner to somebody else, and partition 1 has moved. */
function unsettled(): ClusterDocument {
  const outside = (partition: number): number =>
    [0, 1, 2, 3, 4].find((index) => formed.owners[partition]?.includes(index) === false) as number;
  const to = [...(formed.owners[0] as readonly number[]).slice(0, 2), outside(0)];
  return {
    ...formed,
    epoch: 2,
    moves: [{ partition: 0, to, awaited: [outside(0)] }],
    leftovers: [{ partition: 1, member: outside(1), place: 1 }],
  };
}

it("a document with moves and leftovers reads back", () => {
  const document = unsettled();
  expect(decodeDocument(encodeDocument(document))).toEqual({ ok: true, document });
});

it("moves are part of the tag, and how far they are is not", () => {
  const document = unsettled();
  const [move] = document.moves as readonly [Move];
  const further = { ...document, moves: [{ ...move, awaited: move.to }], leftovers: [] };
  expect(placementTag(document)).not.toBe(placementTag(formed));
  expect(placementTag(further)).toBe(placementTag(document));
  const elsewhere = { ...document, moves: [{ ...move, to: move.to.toReversed() }] };
  expect(placementTag(elsewhere)).not.toBe(placementTag(document));
});

it("a document without them keeps its bytes", () => {
  expect(encodeDocument({ ...formed, moves: [], leftovers: [] })).toEqual(encodeDocument(formed));
});

it.each<[string, (document: ClusterDocument) => Partial<ClusterDocument>]>([
  [
    "a move that awaits nobody",
    ({ moves = [] }) => ({ moves: moves.map((m) => ({ ...m, awaited: [] })) }),
  ],
  [
    "a move that awaits a stranger to it",
    ({ moves = [], owners }) => ({
      moves: moves.map((m) => ({ ...m, awaited: [owners[0]?.[2] as number] })),
    }),
  ],
  [
    "a move to too many",
    ({ moves = [] }) => ({
      moves: moves.map((m) => ({ ...m, to: [0, 1, 2, 3] })),
    }),
  ],
  [
    "a move of no partition",
    ({ moves = [] }) => ({ moves: moves.map((m) => ({ ...m, partition: 4 })) }),
  ],
  ["two moves of one partition", ({ moves = [] }) => ({ moves: [...moves, ...moves] })],
  [
    "a leftover of an owner",
    ({ owners }) => ({
      leftovers: [{ partition: 1, member: owners[1]?.[0] as number, place: 0 }],
    }),
  ],
  ["a leftover of nobody", () => ({ leftovers: [{ partition: 1, member: 5, place: 0 }] })],
  [
    "members of whom nobody stays",
    ({ members }) => ({ members: members.map((member) => ({ ...member, departure: "leaving" })) }),
  ],
  ["moves of a version to come", () => ({ entered: 3 })],
  ["a version that entered moves, and none", () => ({ moves: [], entered: 2 })],
  [
    "a departure of an unknown kind",
    ({ members }) => ({
      members: members.map((member) => ({ ...member, departure: "soon" as "leaving" })),
    }),
  ],
])("no document has %s", (_, change) => {
  const document = unsettled();
  expect(decodeDocument(encodeDocument({ ...document, ...change(document) })).ok).toBe(false);
});

it("holders are owners, owners to be, and former ones, with what they hold", () => {
  const ring = new Ring(unsettled());
  const places = (partition: number): readonly number[] =>
    ring.holders(partition).map(({ place }) => place);
  expect(places(0)).toEqual([0, 1, 2, 2]);
  expect(places(1)).toEqual([0, 1, 2, 1]);
  expect(places(2)).toEqual([0, 1, 2]);
  for (const { id } of formed.members) {
    const held = [0, 1, 2, 3].filter((partition) => ring.isHolder(id, partition));
    expect(ring.heldBy(id)).toEqual(held);
  }
});

it("a plan names the next owners where they are others than the present ones", () => {
  const document = unsettled();
  const ring = new Ring(document);
  const [bucket] = document.settings.buckets as readonly [BucketSettings];
  const seen = new Set<boolean>();
  for (let number = 0; number < 100; number += 1) {
    const plan = ring.plan({ bucket: bucket.name, key: Uint8Array.of(1, number) }, bucket);
    const next = plan.partition === 0 ? ring.next(0)?.slice(0, bucket.n) : undefined;
    expect(plan.next).toEqual(next);
    seen.add(next !== undefined);
  }
  expect(seen.size).toBe(2);
});

it("a document of other members keeps the key of contexts", () => {
  const contextKey = "ab".repeat(32);
  const document = { ...formed, contextKey };
  expect(decodeDocument(encodeDocument(document))).toEqual({ ok: true, document });
  expect(contextKeyOf(document)).toEqual(new Uint8Array(32).fill(0xab));
});
