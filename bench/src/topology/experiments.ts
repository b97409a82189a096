import {
  type ClusterDocument,
  type Member,
  type NodeId,
  type PeerAddress,
  type TopologyChange,
  decodeDocument,
  defaultBuckets,
  encodeDocument,
  formDocument,
  planTopology,
} from "@coterie/core";

/** Copies of each partition, and zones where there are any: so each zone has one of each. */
const copies = 3;

export interface PlanTrial {
  readonly change: string;
  /** Milliseconds of one plan, the best of those made. */
  readonly planMs: number;
  /** Of reading the planned document, as every member does. */
  readonly readMs: number;
  readonly moved: number;
  /** The fewest copies that must move for shares within one of each other. */
  readonly least: number;
  /** Of the document before, and of the one in which all moves are under way. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

export interface PlanTrials {
  readonly nodes: number;
  readonly partitions: number;
  readonly hasZones: boolean;
  /** Each plan is made so often. */
  readonly rounds: number;
}

type Size = Pick<PlanTrials, "nodes" | "partitions" | "hasZones">;

interface Changes {
  readonly document: ClusterDocument;
  readonly changes: readonly (readonly [string, TopologyChange])[];
}

/** Joins, a leave and a removal, planned for a cluster of so many nodes. */
export function planTrials(options: PlanTrials): readonly PlanTrial[] {
  const { document, changes } = changesOf(options);
  return changes.map(([name, change]) => trial(document, name, change, options));
}

/** The version of so many nodes, and the one in which a tenth of as many are joining. */
export function joinOf(size: Size): {
  readonly before: ClusterDocument;
  readonly after: ClusterDocument;
} {
  const { document, changes } = changesOf(size);
  const joins = changes.findLast(([, change]) => change.join !== undefined)?.[1] ?? {};
  const planned = planTopology(document, joins);
  if (!planned.ok) throw new Error(planned.message);
  return { before: document, after: planned.document };
}

function changesOf({ nodes, partitions, hasZones }: Size): Changes {
  const members = Array.from({ length: nodes }, (_, at) => memberAt(at, hasZones));
  const newcomers = (count: number): readonly Member[] =>
    Array.from({ length: count }, (_, at) => memberAt(nodes + at, hasZones));
  const tenth = Math.max(1, Math.floor(nodes / 10));
  const newcomer = memberAt(nodes, hasZones);
  const some = members[0] as Member;
  const formed = formDocument(
    { partitions, hash: "md5", nMax: copies, buckets: defaultBuckets(copies) },
    members,
  );
  if (!formed.ok) throw new Error(formed.message);
  const changes: readonly (readonly [string, TopologyChange])[] = [
    ["1 joins", { join: newcomers(1) }],
    [`${tenth} join`, { join: newcomers(tenth) }],
    ["1 leaves", { leave: [some.id] }],
    ["1 is replaced", { replace: [{ id: some.id, by: { ...newcomer, zone: some.zone } }] }],
  ];
  const distinct = tenth === 1 ? changes.filter((_, at) => at !== 1) : changes;
  return { document: formed.document, changes: distinct };
}

function trial(
  document: ClusterDocument,
  name: string,
  change: TopologyChange,
  { hasZones, rounds }: PlanTrials,
): PlanTrial {
  const planned = planTopology(document, change);
  if (!planned.ok) throw new Error(planned.message);
  const bytes = encodeDocument(planned.document);
  return {
    change: name,
    planMs: bestOf(rounds, () => planTopology(document, change)),
    readMs: bestOf(rounds, () => decodeDocument(bytes)),
    moved: planned.summary.copies,
    least: leastMoved(planned.document, planned.summary.members, hasZones),
    bytesBefore: encodeDocument(document).length,
    bytesAfter: bytes.length,
  };
}

function bestOf(rounds: number, run: () => unknown): number {
  const times = Array.from({ length: rounds }, () => {
    const from = performance.now();
    run();
    return performance.now() - from;
  });
  return Math.min(...times);
}

/** In each zone by itself: as many zones as copies have one copy of everything each. */
function leastMoved(
  { members, settings }: ClusterDocument,
  loads: readonly { readonly id: NodeId; readonly before: number }[],
  hasZones: boolean,
): number {
  const before = new Map(loads.map((load) => [load.id, load.before]));
  const zones = new Map<string, number[]>();
  for (const { id, zone, departure } of members) {
    if (departure !== undefined) continue;
    zones.set(zone, [...(zones.get(zone) ?? []), before.get(id) ?? 0]);
  }
  const total = hasZones ? settings.partitions : settings.partitions * copies;
  return [...zones.values()].reduce((sum, counts) => sum + leastOf(counts, total), 0);
}

function leastOf(before: readonly number[], total: number): number {
  const share = Math.floor(total / before.length);
  const more = total - share * before.length;
  // Those who have more than a share already are the ones to keep one more.
  const sorted = before.toSorted((left, right) => right - left);
  return sorted.reduce((sum, count, at) => {
    return sum + Math.max(0, share + (at < more ? 1 : 0) - count);
  }, 0);
}

/** Each on a host of its own; in zones, one after the other in each of three. */
function memberAt(at: number, hasZones: boolean): Member {
  const id = `node-${String(at).padStart(4, "0")}`;
  const address = `10.0.${at >> 8}.${at & 255}`;
  return {
    id: id as NodeId,
    address: `${address}:7401` as PeerAddress,
    http: `${address}:7402`,
    grpc: `${address}:7403`,
    resp: `${address}:6379`,
    host: `host-${at}`,
    zone: hasZones ? `zone-${at % copies}` : "default",
    weight: 1,
    nonce: at.toString(16).padStart(32, "0"),
  };
}
