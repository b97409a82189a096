import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { NodeId } from "../../src/ids.ts";
import type { Member } from "../../src/ring/cluster-document.ts";
import { type Owners, placeOwners } from "../../src/ring/placement.ts";
import { countOf, firstOf, memberOf } from "./members.ts";

const numRuns = 1000;

/** Hosts lie in one zone, as they do. */
const labelled = fc
  .array(fc.record({ host: fc.nat(5), weight: fc.integer({ min: 1, max: 4 }) }), {
    minLength: 1,
    maxLength: 9,
  })
  .map((nodes) =>
    nodes.map(({ host, weight }, at) =>
      memberOf(at, { host: `h${host}`, zone: `z${host % 3}`, weight }),
    ),
  );
const plain = fc.integer({ min: 1, max: 9 }).map((count) => unlabelled(count));
/** As many hosts per zone, and as many nodes per host, everywhere. */
const regular = fc
  .record({
    zones: fc.integer({ min: 1, max: 4 }),
    hosts: fc.integer({ min: 1, max: 3 }),
    nodes: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ zones, hosts, nodes }) =>
    Array.from({ length: zones * hosts * nodes }, (_, at) => {
      const host = Math.floor(at / nodes);
      return memberOf(at, { host: `h${host}`, zone: `z${host % zones}` });
    }),
  );
const partitionCount = fc.integer({ min: 1, max: 40 });
const copies = fc.integer({ min: 1, max: 5 });

function unlabelled(count: number): readonly Member[] {
  return Array.from({ length: count }, (_, at) => memberOf(at));
}

function idsOf(owners: Owners, members: readonly Member[]): readonly (readonly NodeId[])[] {
  return owners.map((list) => list.flatMap((owner) => members[owner]?.id ?? []));
}

function movement(
  before: readonly (readonly NodeId[])[],
  after: readonly (readonly NodeId[])[],
): number {
  return after.reduce(
    (sum, list, partition) => sum + list.filter((id) => !before[partition]?.includes(id)).length,
    0,
  );
}

/** The most labels that `count` of the members can have among them. */
function distinctMax(labels: readonly string[], count: number): number {
  return Math.min(new Set(labels).size, count);
}

function distinct(list: readonly number[], labels: readonly string[]): number {
  return new Set(list.map((owner) => labels[owner])).size;
}

function spread(counts: readonly number[]): number {
  return Math.max(...counts) - Math.min(...counts);
}

it("gives every partition distinct nodes, and as many hosts and zones as there are", () => {
  fc.assert(
    fc.property(labelled, partitionCount, copies, (members, partitions, nMax) => {
      const owners = placeOwners({ members, partitions, nMax });
      const count = Math.min(nMax, members.length);
      const hosts = members.map(({ host }) => host);
      const zones = members.map(({ zone }) => zone);
      expect(owners.length).toBe(partitions);
      for (const list of owners) {
        expect(list.length).toBe(count);
        expect(new Set(list).size).toBe(count);
        expect(list.every((owner) => members[owner] !== undefined)).toBe(true);
        expect(distinct(list, hosts)).toBe(distinctMax(hosts, count));
        expect(distinct(list, zones)).toBe(distinctMax(zones, count));
      }
    }),
    { numRuns },
  );
});

it("regains distinct hosts and zones from any earlier table", () => {
  fc.assert(
    fc.property(labelled, labelled, partitionCount, copies, (old, members, partitions, nMax) => {
      const previous = idsOf(placeOwners({ members: old, partitions, nMax }), old);
      const count = Math.min(nMax, members.length);
      const hosts = members.map(({ host }) => host);
      const zones = members.map(({ zone }) => zone);
      for (const list of placeOwners({ members, partitions, nMax, previous })) {
        expect(new Set(list).size).toBe(count);
        expect(distinct(list, hosts)).toBe(distinctMax(hosts, count));
        expect(distinct(list, zones)).toBe(distinctMax(zones, count));
      }
    }),
    { numRuns },
  );
});

it.each([
  ["without labels", plain],
  ["with as many nodes on every host and hosts in every zone", regular],
])("balances copies and first owners within one %s", (_, membersOf) => {
  fc.assert(
    fc.property(membersOf, partitionCount, copies, (members, partitions, nMax) => {
      const owners = placeOwners({ members, partitions, nMax });
      expect(spread(countOf(members.length, owners))).toBeLessThanOrEqual(1);
      expect(spread(countOf(members.length, owners, firstOf))).toBeLessThanOrEqual(1);
    }),
    { numRuns },
  );
});

it("balances by weight: no copy could move and make two nodes more even", () => {
  fc.assert(
    fc.property(labelled, partitionCount, copies, (labels, partitions, nMax) => {
      const members = labels.map((member, at) => {
        return { ...member, host: `h${at}`, zone: "z" };
      });
      const owners = placeOwners({ members, partitions, nMax });
      const counts = countOf(members.length, owners);
      for (const [giver, { weight }] of members.entries()) {
        for (const [taker, other] of members.entries()) {
          if (taker === giver || counts[taker] === partitions) continue;
          const emptier = ((counts[taker] ?? 0) + 1) / other.weight;
          expect(emptier).toBeGreaterThanOrEqual((counts[giver] ?? 0) / weight);
        }
      }
    }),
    { numRuns },
  );
});

it("is deterministic, and leaves a table alone that it would make", () => {
  fc.assert(
    fc.property(labelled, partitionCount, copies, (members, partitions, nMax) => {
      const owners = placeOwners({ members, partitions, nMax });
      expect(placeOwners({ members: [...members], partitions, nMax })).toEqual(owners);
      const previous = idsOf(owners, members);
      expect(placeOwners({ members, partitions, nMax, previous })).toEqual(owners);
    }),
    { numRuns },
  );
});

it("moves to a node that joins its share at most, and nothing between others", () => {
  fc.assert(
    fc.property(plain, partitionCount, copies, (members, partitions, nMax) => {
      const before = placeOwners({ members, partitions, nMax });
      const grown = unlabelled(members.length + 1);
      const previous = idsOf(before, members);
      const after = placeOwners({ members: grown, partitions, nMax, previous });
      const joined = after.filter((list) => list.includes(members.length)).length;
      expect(movement(previous, idsOf(after, grown))).toBe(joined);
    }),
    { numRuns },
  );
});

it("moves from a node that leaves its copies, and about nothing else", () => {
  fc.assert(
    fc.property(plain, fc.nat(8), partitionCount, copies, (members, at, partitions, nMax) => {
      fc.pre(members.length > 1);
      const gone = at % members.length;
      const before = placeOwners({ members, partitions, nMax });
      const rest = members.filter((_, index) => index !== gone);
      const previous = idsOf(before, members);
      const after = placeOwners({ members: rest, partitions, nMax, previous });
      const held = before.filter((list) => list.includes(gone)).length;
      const refilled = nMax >= members.length ? 0 : held;
      expect(movement(previous, idsOf(after, rest))).toBeLessThanOrEqual(refilled + rest.length);
    }),
    { numRuns },
  );
});
