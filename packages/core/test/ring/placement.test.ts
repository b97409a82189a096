import { expect, it } from "vitest";
import { InvariantViolation } from "../../src/invariant.ts";
import { placeOwners } from "../../src/ring/placement.ts";
import { formDocument } from "../../src/ring/form-document.ts";
import { planTopology } from "../../src/ring/topology.ts";
import type { ClusterDocument } from "../../src/ring/cluster-document.ts";
import type { NodeId } from "../../src/ids.ts";
import { countOf, documentOf, firstOf, memberOf, membersOf, modestSettings } from "./members.ts";
import { changed, settled } from "./settled.ts";

function spread(counts: readonly number[]): number {
  return Math.max(...counts) - Math.min(...counts);
}

/** Copies in `after` that their node did not have in `before`. */
function moved(before: ClusterDocument, after: ClusterDocument): number {
  const idsOf = (document: ClusterDocument, partition: number): readonly NodeId[] =>
    (document.owners[partition] ?? []).flatMap((owner) => document.members[owner]?.id ?? []);
  return after.owners.reduce((sum, _, partition) => {
    const held = new Set(idsOf(before, partition));
    return sum + idsOf(after, partition).filter((id) => !held.has(id)).length;
  }, 0);
}

it("behaviour 17: Q=6 over 3 nodes is 2 each", () => {
  const owners = placeOwners({ members: membersOf(3), partitions: 6, nMax: 1 });
  expect(countOf(3, owners)).toEqual([2, 2, 2]);
});

it("behaviour 18: zero nodes are rejected", () => {
  expect(formDocument(modestSettings(6, 1), [])).toMatchObject({
    ok: false,
    code: "bad-settings",
    message: "a cluster has at least one node",
  });
  expect(() => placeOwners({ members: [], partitions: 6, nMax: 1 })).toThrow(InvariantViolation);
});

it.each([
  [7, 3, 1],
  [3, 3, 3],
  [64, 5, 3],
  [2, 5, 1],
])(
  "behaviour 19: (differs) Q=%i over %i nodes is balanced within one",
  (partitions, count, nMax) => {
    const owners = placeOwners({ members: membersOf(count), partitions, nMax });
    expect(spread(countOf(count, owners))).toBeLessThanOrEqual(1);
    expect(spread(countOf(count, owners, firstOf))).toBeLessThanOrEqual(1);
  },
);

it("behaviour 23: adding a fourth node to Q=12 gives 3 each", () => {
  const three = documentOf(modestSettings(12, 1), membersOf(3));
  const entered = changed(three, { join: [memberOf(4)] });
  expect(entered).toMatchObject({ epoch: 2, entered: 2, clusterId: three.clusterId });
  const added = settled(entered);
  expect(countOf(4, added.owners)).toEqual([3, 3, 3, 3]);
  expect(moved(three, added)).toBe(3);
});

it("behaviour 24: (differs) a node joins whatever Q is, and takes no more than its share", () => {
  const four = documentOf(modestSettings(11, 3), membersOf(4));
  const added = settled(changed(four, { join: [memberOf(5)] }));
  expect(spread(countOf(5, added.owners))).toBeLessThanOrEqual(1);
  expect(moved(four, added)).toBe(Math.floor((11 * 3) / 5));
});

it("behaviour 25: removing one of four leaves no partition with it", () => {
  const four = documentOf(modestSettings(12, 3), membersOf(4));
  const removed = settled(changed(four, { leave: ["n02" as NodeId] }));
  expect(removed.members.map(({ id }) => id)).toEqual(["n01", "n03", "n04"]);
  expect(countOf(3, removed.owners)).toEqual([12, 12, 12]);
  expect(moved(four, removed)).toBe(countOf(4, four.owners)[1]);
});

it("behaviour 26: the last node cannot be removed", () => {
  const one = documentOf(modestSettings(6, 1), membersOf(1));
  expect(planTopology(one, { leave: ["n01" as NodeId] })).toMatchObject({
    ok: false,
    code: "bad-settings",
    message: "a cluster has at least one node",
  });
});

it("behaviour 27: removing an unknown node is an error", () => {
  const one = documentOf(modestSettings(6, 1), membersOf(3));
  expect(planTopology(one, { remove: ["n09" as NodeId] })).toMatchObject({
    ok: false,
    code: "unknown-node",
    message: "n09 is not a member",
  });
});

it("refuses a member twice, and a removal that leaves too few nodes for a bucket", () => {
  const settings = { ...modestSettings(6, 3), buckets: [] };
  const [bucket] = modestSettings(6, 3).buckets;
  if (bucket === undefined) expect.unreachable("there is a default bucket");
  const pairs = { ...bucket, n: 2, r: 2, w: 1 };
  const two = documentOf({ ...settings, buckets: [pairs] }, membersOf(2));
  expect(planTopology(two, { join: [memberOf(2)] })).toMatchObject({
    ok: false,
    code: "known-node",
  });
  expect(planTopology(two, { leave: ["n01" as NodeId] })).toMatchObject({
    ok: false,
    code: "bad-settings",
    message:
      "bucket default wants 2 copies on distinct nodes, and there is 1 node: that many nodes " +
      "must stay or join, since a bucket's n is fixed when it is created",
  });
});

it("gives a node of weight 2 twice the partitions", () => {
  const members = [memberOf(1), memberOf(2, { weight: 2 }), memberOf(3)];
  const owners = placeOwners({ members, partitions: 64, nMax: 1 });
  expect(countOf(3, owners)).toEqual([16, 32, 16]);
});

it("puts no two copies on one host, even at the cost of balance", () => {
  const host = "one";
  const members = [memberOf(1, { host }), memberOf(2, { host }), memberOf(3), memberOf(4)];
  const owners = placeOwners({ members, partitions: 8, nMax: 3 });
  expect(countOf(4, owners)).toEqual([4, 4, 8, 8]);
});

it("balances through a third node where hosts forbid a direct move", () => {
  const hosts = ["h0", "h1", "h1", "h1", "h0"];
  const members = hosts.map((host, at) => memberOf(at + 1, { host }));
  const previous = [
    ["n01", "n05", "n04"],
    ["n04", "n03", "n02"],
    ["n03", "n05", "n04"],
    ["n03", "n05", "n04"],
  ] as NodeId[][];
  const owners = placeOwners({ members, partitions: 4, nMax: 3, previous });
  // Moving single copies only would end with 2, 1, 3, 3 and 3.
  expect(countOf(5, owners)).toEqual([2, 2, 3, 3, 2]);
});

it("moves copies apart when a node on a host of its own joins", () => {
  const host = "one";
  const members = [memberOf(1, { host }), memberOf(2, { host }), memberOf(3)];
  const previous = Array.from({ length: 8 }, () => ["n01", "n02"] as NodeId[]);
  const owners = placeOwners({ members, partitions: 8, nMax: 2, previous });
  expect(countOf(3, owners)).toEqual([4, 4, 8]);
});

it("shares the work of one node's partitions among all others", () => {
  const owners = placeOwners({ members: membersOf(12), partitions: 1024, nMax: 3 });
  const besideFirst = owners.filter((list) => list.includes(0)).flat();
  expect(new Set(besideFirst).size).toBe(12);
});

it("a member that joins takes one copy of a partition, and its share of first places", () => {
  const ten = documentOf(modestSettings(1024, 3), membersOf(10));
  const joined = [11, 12, 13].map((number) => memberOf(number));
  const thirteen = settled(changed(ten, { join: joined }));
  for (const list of thirteen.owners) {
    expect(list.filter((owner) => owner >= 10).length).toBeLessThanOrEqual(1);
  }
  expect(spread(countOf(13, thirteen.owners, firstOf))).toBeLessThanOrEqual(3);
});

it("places 16 384 partitions on 50 nodes, three zones and 25 hosts", () => {
  const members = membersOf(50).map((member, at) => {
    return { ...member, host: `h${at % 25}`, zone: `z${(at % 25) % 3}` };
  });
  const owners = placeOwners({ members, partitions: 16_384, nMax: 3 });
  expect(spread(countOf(50, owners, firstOf))).toBeLessThanOrEqual(1);
  for (const list of owners) {
    expect(new Set(list.map((owner) => members[owner]?.zone)).size).toBe(3);
  }
});
