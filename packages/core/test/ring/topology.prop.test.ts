import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { NodeId } from "../../src/ids.ts";
import { defaultBuckets } from "../../src/ring/bucket.ts";
import type { ClusterDocument, Member } from "../../src/ring/cluster-document.ts";
import { decodeDocument, encodeDocument } from "../../src/ring/document-codec.ts";
import { Ring } from "../../src/ring/ring.ts";
import { abortMoves, arrive, dropLeftovers } from "../../src/ring/settle-moves.ts";
import { type TopologyChange, planTopology } from "../../src/ring/topology.ts";
import { countOf, documentOf, memberOf, modestSettings } from "./members.ts";
import { goals, namesOf, settled } from "./settled.ts";

type Step =
  | { readonly kind: "plan"; readonly change: (document: ClusterDocument) => TopologyChange }
  | { readonly kind: "arrive" | "drop"; readonly member: number; readonly part: number }
  | { readonly kind: "abort" };

const labels = fc.record({
  host: fc.nat(5).map((host) => `h${host}`),
  zone: fc.nat(2).map((zone) => `z${zone}`),
  weight: fc.integer({ min: 1, max: 3 }),
});
const oneOf = fc.nat(20);

/** Numbers that no member has had: a name may come back, but this keeps the cases apart. */
function fresh(document: ClusterDocument, count: number): readonly number[] {
  const taken = document.members.map(({ id }) => Number(id.slice(1)));
  const start = Math.max(...taken) + 1 + document.epoch;
  return Array.from({ length: count }, (_, at) => start + at);
}

function idAt({ members }: ClusterDocument, at: number): NodeId {
  return (members[at % members.length] as Member).id;
}

const change = fc
  .record({
    join: fc.array(labels, { maxLength: 2 }),
    leave: fc.array(oneOf, { maxLength: 1 }),
    remove: fc.array(oneOf, { maxLength: 2 }),
    replace: fc.array(fc.record({ at: oneOf, labels, isDead: fc.boolean() }), { maxLength: 1 }),
    set: fc.array(fc.record({ at: oneOf, labels }), { maxLength: 1 }),
    only: fc.constantFrom("join", "leave", "remove", "replace", "set", "all", "none"),
  })
  .map(({ only, ...parts }) => (document: ClusterDocument): TopologyChange => {
    const numbers = fresh(document, 3);
    const whole = {
      join: parts.join.map((given, at) => memberOf(numbers[at] as number, given)),
      leave: parts.leave.map((at) => idAt(document, at)),
      remove: parts.remove.map((at) => idAt(document, at)),
      replace: parts.replace.map(({ at, labels: given, isDead }) => ({
        id: idAt(document, at),
        by: memberOf(numbers[2] as number, given),
        departure: isDead ? ("removed" as const) : ("leaving" as const),
      })),
      set: parts.set.map(({ at, labels: given }) => ({ id: idAt(document, at), ...given })),
    };
    if (only === "none") return {};
    return only === "all" ? whole : { [only]: whole[only] };
  });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("plan" as const), change }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom("arrive" as const, "drop" as const),
      member: oneOf,
      part: fc.nat(255),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("abort" as const) }) },
);

const cluster = fc
  .record({
    members: fc.array(labels, { minLength: 1, maxLength: 6 }),
    partitions: fc.integer({ min: 1, max: 12 }),
    nMax: fc.integer({ min: 1, max: 4 }),
    n: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ members, partitions, nMax, n }) => {
    const buckets = defaultBuckets(Math.min(n, nMax, members.length));
    const settings = { partitions, hash: "md5", nMax, buckets } as const;
    return documentOf(
      settings,
      members.map((given, at) => memberOf(at, given)),
    );
  });

function taken(document: ClusterDocument, next: Step): ClusterDocument {
  if (next.kind === "abort") return abortMoves(document);
  if (next.kind === "plan") {
    const planned = planTopology(document, next.change(document));
    return planned.ok ? planned.document : document;
  }
  const id = idAt(document, next.member);
  const partitions = document.owners.flatMap((_, partition) =>
    ((next.part >> (partition % 8)) & 1) === 1 ? partition : [],
  );
  const { entered } = document;
  return next.kind === "arrive"
    ? arrive(document, { id, partitions, entered })
    : dropLeftovers(document, id, partitions);
}

/** One epoch on and sound; or the very same. */
function expectStep(before: ClusterDocument, after: ClusterDocument): void {
  if (after === before) return;
  expect(after.epoch).toBe(before.epoch + 1);
  expect(decodeDocument(encodeDocument(after))).toEqual({ ok: true, document: after });
  expect(encodeDocument({ ...after, epoch: before.epoch })).not.toEqual(encodeDocument(before));
}

/** Whoever had a copy and lives has it still, unless it has dropped just that copy itself. */
function expectKept(before: ClusterDocument, after: ClusterDocument, isDrop: boolean): void {
  const ring = new Ring(after);
  for (const [partition, owners] of before.owners.entries()) {
    for (const id of namesOf(before, owners)) {
      const isRemoved = ring.member(id) === undefined || ring.member(id)?.departure === "removed";
      if (!isRemoved) expect(ring.isHolder(id, partition)).toBe(true);
    }
  }
  if (isDrop) return;
  for (const { partition, member } of before.leftovers ?? []) {
    const { id } = before.members[member] as Member;
    const now = ring.member(id);
    if (now === undefined || now.departure === "removed") continue;
    expect(ring.isHolder(id, partition)).toBe(true);
  }
}

it("plans, arrivals, drops and aborts lead to sound documents only, which get settled", () => {
  fc.assert(
    fc.property(cluster, fc.array(step, { maxLength: 25 }), (formed, steps) => {
      let document = formed;
      for (const next of steps) {
        const before = document;
        document = taken(before, next);
        expectStep(before, document);
        expectKept(before, document, next.kind === "drop");
      }
      const planned = goals(document);
      const end = settled(document);
      expect(end.moves).toBeUndefined();
      expect(end.leftovers).toBeUndefined();
      expect(end.entered).toBeUndefined();
      expect(end.owners.map((list) => namesOf(end, list))).toEqual(planned);
      for (const { departure } of end.members) expect(departure).toBeUndefined();
      expect(settled(end)).toBe(end);
    }),
    { numRuns: 200 },
  );
});

it("the old owners stay until nobody is awaited, and no survivor gets a later place", () => {
  fc.assert(
    fc.property(cluster, change, (formed, makeChange) => {
      const planned = planTopology(formed, makeChange(formed));
      fc.pre(planned.ok && planned.document !== formed);
      if (!planned.ok) return;
      const next = planned.document;
      const before = formed.owners.map((list) => namesOf(formed, list));
      const moving = new Set((next.moves ?? []).map(({ partition }) => partition));
      const after = goals(next);
      for (const [partition, former] of before.entries()) {
        const target = after[partition] as readonly NodeId[];
        if (moving.has(partition)) {
          expect(namesOf(next, next.owners[partition] as readonly number[])).toEqual(former);
        }
        for (const [place, id] of target.entries()) {
          if (former.includes(id)) expect(place).toBeLessThanOrEqual(former.indexOf(id));
        }
        const gone = target.flatMap((id) => next.members.find((member) => member.id === id) ?? []);
        expect(gone.every(({ departure }) => departure === undefined)).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

/** The fewest copies that must move for shares within one of each other. */
function leastCopies(before: readonly number[], total: number): number {
  const share = Math.floor(total / before.length);
  // Those who have more than a share already are the ones to keep one more.
  const sorted = before.toSorted((left, right) => right - left);
  const more = total - share * before.length;
  return sorted.reduce(
    (sum, count, at) => sum + Math.max(0, share + (at < more ? 1 : 0) - count),
    0,
  );
}

const nodes = fc.integer({ min: 4, max: 12 });
const grown: fc.Arbitrary<readonly [string, number, (ids: readonly NodeId[]) => TopologyChange]> =
  fc.tuple(nodes, fc.integer({ min: 1, max: 3 })).chain(([count, few]) => {
    const join = Array.from({ length: few }, (_, at) => memberOf(20 + at));
    return fc.constantFrom(
      ["join", count, () => ({ join })] as const,
      [
        "leave",
        count + few,
        (ids: readonly NodeId[]) => ({ leave: ids.slice(1, 1 + few) }),
      ] as const,
      [
        "remove",
        count + few,
        (ids: readonly NodeId[]) => ({ remove: ids.slice(1, 1 + few) }),
      ] as const,
      ["swap", count, (ids: readonly NodeId[]) => ({ join, leave: ids.slice(0, 1) })] as const,
    );
  });

it("a change moves hardly more than it must, and leaves shares within one of each other", () => {
  fc.assert(
    fc.property(grown, fc.integer({ min: 24, max: 100 }), ([, count, makeChange], partitions) => {
      const members = Array.from({ length: count }, (_, at) => memberOf(at));
      const formed = documentOf(modestSettings(partitions, 3), members);
      const change = makeChange(members.map(({ id }) => id));
      const planned = planTopology(formed, change);
      if (!planned.ok) throw new Error(planned.message);
      const loads = planned.summary.members.filter(({ after }) => after > 0);
      const least = leastCopies(
        loads.map(({ before }) => before),
        partitions * 3,
      );
      expect(planned.summary.copies).toBeLessThanOrEqual(Math.ceil(least * 1.1));
      const end = settled(planned.document);
      const counts = countOf(end.members.length, end.owners);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }),
    { numRuns: 200 },
  );
});
