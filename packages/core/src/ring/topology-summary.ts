import type { NodeId } from "../ids.ts";
import type { ClusterDocument } from "./cluster-document.ts";
import { countsIn, ownersAfterMoves } from "./owners-after-moves.ts";

/** How much of the data one member has, in copies of partitions. */
export interface MemberLoad {
  readonly id: NodeId;
  readonly before: number;
  readonly after: number;
}

/** Copies of partitions that one member gets in another's stead. */
export interface Transfer {
  /** Whose place it takes, or who can hand it the copy; `undefined` if nobody has one. */
  readonly from: NodeId | undefined;
  readonly to: NodeId;
  readonly copies: number;
}

/** Partitions that have too few copies, as far as they move, until the move is over. */
export interface Risk {
  /** Owners so far that are alive. */
  readonly living: number;
  /** Copies that a bucket wants. */
  readonly wanted: number;
  readonly partitions: number;
}

/** What a change of a cluster's members comes to. */
export interface TopologySummary {
  /** All that are members before or after, sorted. */
  readonly members: readonly MemberLoad[];
  /** Partitions that change their owners. */
  readonly partitions: number;
  /** Copies that somebody gets who has none. */
  readonly copies: number;
  /** The same copies, by who gets them and from whom; sorted. */
  readonly transfers: readonly Transfer[];
  /** By the number of living owners, fewest first; empty if all have enough. */
  readonly risks: readonly Risk[];
  /** Partitions with two of a bucket's copies on one host, when all is over. */
  readonly sharingHosts: number;
  /** The same for zones. In a cluster of one zone that is every partition. */
  readonly sharingZones: number;
}

/** What it comes to if `after` follows `before`, when only `alive` can hand over copies. */
export function summarizeTopology(
  before: ClusterDocument,
  after: ClusterDocument,
  alive: ReadonlySet<NodeId> = notRemoved(after),
): TopologySummary {
  const from = namedOwners(before, before.owners);
  const to = namedOwners(after, ownersAfterMoves(after));
  const moving = to.flatMap((target, partition) => {
    const source = from[partition] as readonly NodeId[];
    return isSame(source, target) ? [] : [{ source, target }];
  });
  const transfers = transfersOf(moving, alive);
  return {
    members: loadsOf(before, after, { from, to }),
    partitions: moving.length,
    copies: transfers.reduce((sum, { copies }) => sum + copies, 0),
    transfers,
    risks: risksOf(
      moving.map(({ source }) => source),
      { wanted: copiesWanted(after), alive },
    ),
    ...sharing(after, to),
  };
}

function notRemoved({ members }: ClusterDocument): ReadonlySet<NodeId> {
  const others = members.filter(({ departure }) => departure !== "removed");
  return new Set(others.map(({ id }) => id));
}

function namedOwners(
  { members }: ClusterDocument,
  owners: readonly (readonly number[])[],
): readonly (readonly NodeId[])[] {
  const ids = members.map(({ id }) => id);
  return owners.map((list) => list.map((index) => ids[index] as NodeId));
}

function isSame(left: readonly NodeId[], right: readonly NodeId[]): boolean {
  return left.length === right.length && left.every((id, place) => id === right[place]);
}

/** The most copies that a bucket has. */
function copiesWanted({ settings }: ClusterDocument): number {
  return settings.buckets.reduce((most, { n }) => Math.max(most, n), 0);
}

function loadsOf(
  before: ClusterDocument,
  after: ClusterDocument,
  owners: {
    readonly from: readonly (readonly NodeId[])[];
    readonly to: readonly (readonly NodeId[])[];
  },
): readonly MemberLoad[] {
  const had = countsIn(owners.from);
  const gets = countsIn(owners.to);
  const ids = new Set([...before.members, ...after.members].map(({ id }) => id));
  return [...ids]
    .toSorted()
    .map((id) => ({ id, before: had.get(id) ?? 0, after: gets.get(id) ?? 0 }));
}

function transfersOf(
  moving: readonly { readonly source: readonly NodeId[]; readonly target: readonly NodeId[] }[],
  alive: ReadonlySet<NodeId>,
): readonly Transfer[] {
  const counts = new Map<NodeId, Map<NodeId | undefined, number>>();
  for (const { source, target } of moving) {
    for (const [place, to] of target.entries()) {
      if (source.includes(to)) continue;
      const replaced = source[place];
      const canGive = replaced !== undefined && !target.includes(replaced) && alive.has(replaced);
      const from = canGive ? replaced : source.find((id) => alive.has(id));
      const received = counts.get(to) ?? new Map<NodeId | undefined, number>();
      counts.set(to, received.set(from, (received.get(from) ?? 0) + 1));
    }
  }
  const transfers = [...counts].flatMap(([to, received]) =>
    [...received].map(([from, copies]) => ({ from, to, copies })),
  );
  const order = ({ from, to }: Transfer): string => `${to} ${from ?? ""}`;
  return transfers.toSorted((left, right) => (order(left) < order(right) ? -1 : 1));
}

function risksOf(
  sources: readonly (readonly NodeId[])[],
  { wanted, alive }: { readonly wanted: number; readonly alive: ReadonlySet<NodeId> },
): readonly Risk[] {
  const counts = new Map<number, number>();
  for (const source of sources) {
    const living = source.slice(0, wanted).filter((id) => alive.has(id)).length;
    if (living < wanted) counts.set(living, (counts.get(living) ?? 0) + 1);
  }
  return [...counts]
    .toSorted(([left], [right]) => left - right)
    .map(([living, partitions]) => ({ living, wanted, partitions }));
}

function sharing(
  document: ClusterDocument,
  owners: readonly (readonly NodeId[])[],
): Pick<TopologySummary, "sharingHosts" | "sharingZones"> {
  const members = new Map(document.members.map((member) => [member.id, member]));
  const wanted = copiesWanted(document);
  const sharingBy = (label: "host" | "zone"): number => {
    const labels = new Map([...members].map(([id, member]) => [id, member[label]]));
    return owners.filter((list) => {
      const copies = list.slice(0, wanted);
      return new Set(copies.map((id) => labels.get(id))).size < copies.length;
    }).length;
  };
  return { sharingHosts: sharingBy("host"), sharingZones: sharingBy("zone") };
}
