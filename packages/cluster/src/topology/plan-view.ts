import {
  type ClusterDocument,
  type MemberState,
  type NodeId,
  type PlannedTopology,
  type TopologySummary,
  ownersAfterMoves,
  planHash,
} from "@coterie/core";

/** What one member has before and after, and gets meanwhile. */
export interface PlannedLoad {
  readonly id: NodeId;
  readonly before: number;
  readonly after: number;
  /** Copies that it gets from others. */
  readonly gets: number;
  /** About so many bytes; `undefined` where nothing is known of them. */
  readonly bytes: number | undefined;
}

/** Somebody that cannot be reached, and that moves have to wait for. */
export interface Absence {
  readonly id: NodeId;
  readonly state: MemberState;
  /** Moves that cannot end before it is back. */
  readonly partitions: number;
}

/** What a change of the members would come to, for people to decide on. */
export interface PlanView extends Omit<TopologySummary, "members"> {
  /** Names the plan, and the version of the document that it leads to. */
  readonly hash: string;
  /** Of that version. */
  readonly epoch: number;
  readonly members: readonly PlannedLoad[];
  /** About what all copies come to that are sent; `undefined` where nothing is known of them. */
  readonly bytes: number | undefined;
  /** How long at least the busiest member takes to get its copies, in milliseconds. */
  readonly durationMsMin: number | undefined;
  /** Partitions that have fewer owners than nMax when all is over, for lack of nodes. */
  readonly short: number;
  /** Members that go for good, and hand over nothing. */
  readonly removed: readonly NodeId[];
  readonly waitsFor: readonly Absence[];
}

export interface PlanFacts {
  /** Bytes of one copy of a partition, on the average. */
  readonly bytesPerCopy: number | undefined;
  /** That one member can take; 0: no bound. */
  readonly bytesPerSecond: number;
  readonly stateOf: (id: NodeId) => MemberState | undefined;
}

/** Shows a plan that was made on `before`. */
export function viewPlan(
  before: ClusterDocument,
  { document, summary }: PlannedTopology & { readonly ok: true },
  { bytesPerCopy, bytesPerSecond, stateOf }: PlanFacts,
): PlanView {
  const bytesOf = (copies: number): number | undefined =>
    bytesPerCopy === undefined ? undefined : Math.round(copies * bytesPerCopy);
  const gets = new Map<NodeId, number>();
  for (const { to, copies } of summary.transfers) gets.set(to, (gets.get(to) ?? 0) + copies);
  const members = summary.members.map((load) => {
    const copies = gets.get(load.id) ?? 0;
    return { ...load, gets: copies, bytes: bytesOf(copies) };
  });
  const most = Math.max(0, ...members.map(({ bytes = 0 }) => bytes));
  const isKnown = bytesPerCopy !== undefined && bytesPerSecond > 0;
  return {
    ...summary,
    hash: planHash(document),
    epoch: document.epoch,
    members,
    bytes: bytesOf(summary.copies),
    durationMsMin: isKnown ? Math.ceil((most / bytesPerSecond) * 1000) : undefined,
    short: shortIn(document),
    removed: document.members
      .filter(({ departure }) => departure === "removed")
      .map(({ id }) => id),
    waitsFor: absencesIn(before, document, stateOf),
  };
}

function shortIn(document: ClusterDocument): number {
  const { nMax } = document.settings;
  return ownersAfterMoves(document).filter((list) => list.length < nMax).length;
}

/** A move is over when its new owners have compared with all former ones that are not removed. */
function absencesIn(
  { members: known }: ClusterDocument,
  { members, owners, moves = [] }: ClusterDocument,
  stateOf: (id: NodeId) => MemberState | undefined,
): readonly Absence[] {
  return members.flatMap(({ id, departure }, at) => {
    const state = known.some((member) => member.id === id) ? (stateOf(id) ?? "unknown") : "alive";
    if (state === "alive" || departure === "removed") return [];
    const partitions = moves.filter(
      ({ partition, to }) => to.includes(at) || (owners[partition]?.includes(at) ?? false),
    ).length;
    return partitions === 0 ? [] : { id, state, partitions };
  });
}
