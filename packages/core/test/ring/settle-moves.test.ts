import { expect, it } from "vitest";
import type { NodeId } from "../../src/ids.ts";
import { changeBucket } from "../../src/ring/change-bucket.ts";
import type { ClusterDocument } from "../../src/ring/cluster-document.ts";
import { contextKeyOf, decodeDocument, encodeDocument } from "../../src/ring/document-codec.ts";
import { replaceDirectory } from "../../src/ring/replace-directory.ts";
import { abortMoves, arrive, dropLeftovers } from "../../src/ring/settle-moves.ts";
import { planTopology } from "../../src/ring/topology.ts";
import { documentOf, memberOf, membersOf, modestSettings, settingsOf } from "./members.ts";
import { changed, namesOf, settled } from "./settled.ts";

const [n1, n2, n3, n4, n5] = membersOf(5).map(({ id }) => id) as [
  NodeId,
  NodeId,
  NodeId,
  NodeId,
  NodeId,
];
const all = [0, 1, 2, 3, 4, 5, 6, 7];
const four = documentOf(settingsOf(8), membersOf(4));
const replaced = changed(four, { replace: [{ id: n2, by: memberOf(5) }] });

function arrival(document: ClusterDocument, id: NodeId, partitions = all): ClusterDocument {
  return arrive(document, { id, partitions, entered: document.entered });
}

it("a newcomer takes just the places of the member that it replaces", () => {
  const held = four.owners.flatMap((list, partition) => (list.includes(1) ? partition : []));
  expect(held).toHaveLength(6);
  expect(replaced.moves?.map(({ partition }) => partition)).toEqual(held);
  for (const { partition, to, awaited } of replaced.moves ?? []) {
    const before = namesOf(four, four.owners[partition] as readonly number[]);
    expect(namesOf(replaced, to)).toEqual(before.map((id) => (id === n2 ? n5 : id)));
    expect(namesOf(replaced, awaited)).toEqual([n5]);
  }
  expect(replaced.owners).toEqual(four.owners);
  expect(replaced.members[1]?.departure).toBe("leaving");
});

it("partitions flip one by one, and the last dropped copy takes the leaving member with it", () => {
  const [first = -1, ...rest] = replaced.moves?.map(({ partition }) => partition) ?? [];
  const one = arrival(replaced, n5, [first]);
  expect(one.epoch).toBe(replaced.epoch + 1);
  expect(one.moves?.map(({ partition }) => partition)).toEqual(rest);
  const place = four.owners[first]?.indexOf(1);
  expect(one.leftovers).toEqual([{ partition: first, member: 1, place }]);
  expect(namesOf(one, one.owners[first] as readonly number[])[place as number]).toBe(n5);
  const flipped = arrival(one, n5);
  expect(flipped.moves).toBeUndefined();
  expect(flipped.entered).toBeUndefined();
  const nearly = dropLeftovers(flipped, n2, rest);
  expect(nearly.members).toHaveLength(5);
  const over = dropLeftovers(nearly, n2, [first]);
  expect(over.members.map(({ id }) => id)).toEqual([n1, n3, n4, n5]);
  expect(over.leftovers).toBeUndefined();
});

it("a leaving member that holds nothing goes when it says that it has nothing to hand over", () => {
  const idle = settled(abortMoves(replaced));
  const leaving = changed(idle, { leave: [n5] });
  expect(leaving.moves).toBeUndefined();
  expect(leaving.members[4]).toMatchObject({ id: n5, departure: "leaving" });
  expect(changed(leaving, { leave: [n5] })).toBe(leaving);
  expect(dropLeftovers(leaving, n1, all)).toBe(leaving);
  expect(dropLeftovers(leaving, n5, []).members).toHaveLength(4);
  expect(changed(leaving, { remove: [n5] }).members).toHaveLength(4);
});

it("a newcomer that loses its directory on the way is awaited again", () => {
  const both = changed(four, { join: [memberOf(5), memberOf(6)], leave: [n1, n2] });
  const twoAwaited = both.moves?.find(({ awaited }) => awaited.length > 1);
  const one = arrival(both, n5);
  const change = { id: n5, lost: memberOf(5).nonce, empty: "f".repeat(32) };
  const again = replaceDirectory(one, change);
  expect(twoAwaited?.awaited).toContain(4);
  expect(one.moves?.some(({ awaited }) => awaited.includes(4))).toBe(false);
  const find = ({ moves }: ClusterDocument) =>
    moves?.find(({ partition }) => partition === twoAwaited?.partition);
  expect(find(again)).toEqual(twoAwaited);
  expect(decodeDocument(encodeDocument(again))).toEqual({ ok: true, document: again });
  expect(replaceDirectory(both, change).moves).toEqual(both.moves);
});

it("what is no news changes nothing", () => {
  expect(arrival(replaced, n1)).toBe(replaced);
  expect(arrival(replaced, n5, [])).toBe(replaced);
  expect(arrival(replaced, "n99" as NodeId)).toBe(replaced);
  expect(dropLeftovers(replaced, n2, all)).toBe(replaced);
  expect(abortMoves(four)).toBe(four);
  expect(arrival(arrival(replaced, n5), n5).epoch).toBe(replaced.epoch + 1);
});

it("an arrival says nothing of a like move that was entered later", () => {
  const aborted = settled(abortMoves(replaced));
  const again = changed(aborted, { leave: [n2] });
  const { entered } = replaced;
  expect(again.moves?.some(({ awaited }) => namesOf(again, awaited).includes(n5))).toBe(true);
  expect(arrive(again, { id: n5, partitions: all, entered })).toBe(again);
  expect(arrival(again, n5)).not.toBe(again);
});

it("a member that is gone for good leaves no copy behind, and goes with the flip", () => {
  const removed = changed(four, { remove: [n3] });
  expect(removed.members[2]?.departure).toBe("removed");
  let document = removed;
  for (const id of [n1, n2, n4]) document = arrival(document, id);
  expect(document.leftovers).toBeUndefined();
  expect(document.members.map(({ id }) => id)).toEqual([n1, n2, n4]);
});

it("who was to get copies is left with them when moves are given up, and nobody departs", () => {
  const [first = -1, ...rest] = replaced.moves?.map(({ partition }) => partition) ?? [];
  const aborted = abortMoves(arrival(replaced, n5, [first]));
  expect(aborted.moves).toBeUndefined();
  expect(aborted.members.every(({ departure }) => departure === undefined)).toBe(true);
  const left = aborted.leftovers?.map(({ partition, member }) => [partition, member]);
  expect(left).toEqual(
    [[first, 1], ...rest.map((partition) => [partition, 4])].toSorted(
      ([left = 0], [right = 0]) => left - right,
    ),
  );
  const end = settled(aborted);
  expect(end.members).toHaveLength(5);
  expect(namesOf(end, end.owners[first] as readonly number[])).toContain(n5);
});

it("nothing is begun before the last change is over, but the removal of the dead", () => {
  const refused = { ok: false, code: "under-way" };
  const flipped = arrival(replaced, n5);
  expect(planTopology(replaced, { join: [memberOf(6)] })).toMatchObject(refused);
  expect(planTopology(replaced, { remove: [n2] })).toMatchObject(refused);
  expect(planTopology(flipped, { join: [memberOf(6)] })).toMatchObject(refused);
  expect(planTopology(flipped, { remove: [n2], leave: [n1] })).toMatchObject(refused);
  expect(planTopology(flipped, {})).toMatchObject(refused);
  // Without it the copies of one that dies after it has handed over would stay for ever.
  const over = changed(flipped, { remove: [n2] });
  expect(over).toMatchObject({ members: [{ id: n1 }, { id: n3 }, { id: n4 }, { id: n5 }] });
  expect(over.leftovers).toBeUndefined();
  expect(over.moves).toBeUndefined();
});

it("a copy that was to be dropped counts as one to come, where its holder is needed again", () => {
  const aborted = abortMoves(replaced);
  const next = changed(aborted, { remove: [n2] });
  const gaining = next.moves?.filter(({ awaited }) => namesOf(next, awaited).includes(n5)) ?? [];
  const left = new Set(next.leftovers?.map(({ partition }) => partition));
  expect(gaining.length).toBeGreaterThan(0);
  expect(gaining.some(({ partition }) => left.has(partition))).toBe(false);
  expect(settled(next).members).toHaveLength(4);
});

it("where copies shrink, who gets an earlier place is awaited", () => {
  const three = documentOf(modestSettings(3, 3), membersOf(3));
  const shrunk = changed(three, { leave: [n1] });
  for (const { partition, to, awaited } of shrunk.moves ?? []) {
    const before = three.owners[partition] as readonly number[];
    expect(to).toEqual(before.filter((index) => index !== 0));
    expect(new Set(awaited)).toEqual(new Set(before.slice(before.indexOf(0) + 1)));
  }
  // Where nobody gains anything there is nothing to wait for.
  const last = three.owners.flatMap((list, partition) => (list[2] === 0 ? partition : []));
  expect(shrunk.leftovers?.map(({ partition }) => partition)).toEqual(last);
  expect(shrunk.moves?.map(({ partition }) => partition)).toEqual(
    [0, 1, 2].filter((partition) => !last.includes(partition)),
  );
});

it("a bucket that the owners to come are too few for is refused", () => {
  const three = documentOf(modestSettings(3, 3), membersOf(3));
  const shrunk = changed(three, { leave: [n1] });
  const bucket = { intent: "create", name: "wide", given: { n: 3 } } as const;
  expect(changeBucket(three, bucket)).toMatchObject({ ok: true });
  expect(changeBucket(shrunk, bucket)).toMatchObject({ ok: false, code: "bad-request" });
});

it("contexts stay valid while members come and go", () => {
  const key = contextKeyOf(four);
  expect(changed(four, { set: [{ id: n1, zone: "z" }] }).contextKey).toBeUndefined();
  expect(replaced.contextKey).toHaveLength(64);
  const end = settled(replaced);
  for (const document of [replaced, end, settled(changed(end, { leave: [n1] }))]) {
    expect(contextKeyOf(document)).toEqual(key);
  }
});

it("labels change without a move where nothing hangs on them, and no change is no step", () => {
  const labelled = changed(four, { set: [{ id: n1, zone: "zone-a", host: "elsewhere" }] });
  expect(labelled.members[0]).toMatchObject({ host: "elsewhere", zone: "zone-a", weight: 1 });
  expect(labelled.moves).toBeUndefined();
  expect(labelled.epoch).toBe(2);
  expect(changed(four, {})).toBe(four);
  expect(changed(four, { set: [{ id: n1, weight: 1 }] })).toBe(four);
});

it.each<[string, Parameters<typeof planTopology>[1]]>([
  ["is to leave twice", { leave: [n1, n1] }],
  ["is to leave and be removed", { leave: [n1], remove: [n1] }],
  ["is to go and change", { leave: [n1], set: [{ id: n1, weight: 2 }] }],
  ["joins twice", { join: [memberOf(6), memberOf(6)] }],
])("a change is refused in which a node %s", (_, change) => {
  expect(planTopology(four, change)).toMatchObject({ ok: false, code: "bad-settings" });
});

it("an empty change evens out what an aborted one left uneven", () => {
  const uneven = settled(abortMoves(changed(four, { join: [memberOf(5)] })));
  const counts = (document: ClusterDocument): readonly number[] =>
    document.members.map(
      (_, index) => document.owners.filter((list) => list.includes(index)).length,
    );
  expect(counts(uneven)).toEqual([6, 6, 6, 6, 0]);
  const evened = counts(settled(changed(uneven, {})));
  expect(Math.max(...evened) - Math.min(...evened)).toBe(1);
});
