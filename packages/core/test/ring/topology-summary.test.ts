import { expect, it } from "vitest";
import type { NodeId } from "../../src/ids.ts";
import { wholeBucket } from "../../src/ring/bucket.ts";
import type { ClusterDocument } from "../../src/ring/cluster-document.ts";
import { documentDigest } from "../../src/ring/document-codec.ts";
import type { TopologySummary } from "../../src/ring/topology-summary.ts";
import { type TopologyChange, planHash, planTopology } from "../../src/ring/topology.ts";
import { documentOf, memberOf, membersOf, settingsOf } from "./members.ts";
import { changed } from "./settled.ts";

const ids = membersOf(9).map(({ id }) => id);
const [n1, n2, n3] = ids as [NodeId, NodeId, NodeId];
const four = documentOf(settingsOf(8), membersOf(4));

function summaryOf(
  document: ClusterDocument,
  change: TopologyChange,
  alive?: ReadonlySet<NodeId>,
): TopologySummary {
  const planned = planTopology(document, change, alive);
  if (!planned.ok) throw new Error(planned.message);
  return planned.summary;
}

it("says what each member has before and after, and what moves from whom to whom", () => {
  expect(summaryOf(four, { replace: [{ id: n2, by: memberOf(5) }] })).toEqual({
    members: [
      { id: "n01", before: 6, after: 6 },
      { id: "n02", before: 6, after: 0 },
      { id: "n03", before: 6, after: 6 },
      { id: "n04", before: 6, after: 6 },
      { id: "n05", before: 0, after: 6 },
    ],
    partitions: 6,
    copies: 6,
    transfers: [{ from: "n02", to: "n05", copies: 6 }],
    risks: [],
    sharingHosts: 0,
    sharingZones: 8,
  });
});

it("copies of somebody who is gone for good come from those who have them too", () => {
  const { transfers, risks, copies } = summaryOf(four, { remove: [n2] });
  expect(transfers.some(({ from }) => from === n2)).toBe(false);
  expect(copies).toBe(6);
  expect(risks).toEqual([{ living: 2, wanted: 3, partitions: 6 }]);
});

it("partitions with too few living sources are at risk, by how many there are", () => {
  const pairs = [wholeBucket("default", { n: 2 }, 3)];
  const document = documentOf({ ...settingsOf(6), buckets: pairs }, membersOf(3));
  const livingOf = (alive: ReadonlySet<NodeId>): readonly number[] =>
    summaryOf(document, { replace: [{ id: n3, by: memberOf(4) }] }, alive).risks.flatMap(
      ({ living, partitions }) => Array.from({ length: partitions }, () => living),
    );
  const lists = document.owners.map((list) => list.slice(0, 2).map((index) => ids[index]));
  expect(livingOf(new Set([n1, n2, n3]))).toEqual([]);
  const dead = lists.filter((list) => !list.includes(n1)).length;
  expect(dead).toBeGreaterThan(0);
  expect(livingOf(new Set([n1]))).toEqual([
    ...Array.from({ length: dead }, () => 0),
    ...Array.from({ length: lists.length - dead }, () => 1),
  ]);
  const orphans = summaryOf(document, { remove: [n1, n2, n3], join: membersOf(7).slice(3) });
  expect(orphans.transfers.every(({ from }) => from === undefined)).toBe(true);
  expect(orphans.risks).toEqual([{ living: 0, wanted: 2, partitions: 6 }]);
});

it("two copies on one host, or in one zone, are told", () => {
  const zoned = membersOf(3).map((member, at) => ({ ...member, zone: `z${at}` }));
  const document = documentOf(settingsOf(4), zoned);
  expect(summaryOf(document, {})).toMatchObject({ sharingHosts: 0, sharingZones: 0 });
  const by = memberOf(4, { zone: "z1", host: "host-n02" });
  const crowded = summaryOf(document, { replace: [{ id: n1, by }] });
  expect(crowded).toMatchObject({ sharingHosts: 4, sharingZones: 4 });
});

it("a hash of twelve digits names the plan, and another plan has another", () => {
  const plan = changed(four, { leave: [n1] });
  expect(planHash(plan)).toBe(documentDigest(plan).slice(0, 12));
  expect(planHash(changed(four, { leave: [n1] }))).toBe(planHash(plan));
  expect(planHash(changed(four, { remove: [n1] }))).not.toBe(planHash(plan));
  expect(planHash(changed({ ...four, epoch: 2 }, { leave: [n1] }))).not.toBe(planHash(plan));
});
