import { hex } from "../bytes/text.ts";
import type { NodeId } from "../ids.ts";
import type { ClusterDocument, Departure, Member, Move } from "./cluster-document.ts";
import { contextKeyOf, documentDigest } from "./document-codec.ts";
import { documentProblem } from "./document-problem.ts";
import { placeOwners } from "./placement.ts";
import { flipped, gainers, nextVersion, renumbered } from "./settle-moves.ts";
import { type TopologySummary, summarizeTopology } from "./topology-summary.ts";

/** A member gives its places to a newcomer, and goes. */
export interface Replacement {
  readonly id: NodeId;
  readonly by: Member;
  /** `leaving` unless said: it hands its copies over itself. */
  readonly departure?: Departure;
}

/** What of a member may change while it is one; what is left out stays. */
export interface MemberChange {
  readonly id: NodeId;
  readonly weight?: number;
  readonly host?: string;
  readonly zone?: string;
}

/** Changes of a cluster's members, all to be made in one version of its document. */
export interface TopologyChange {
  readonly join?: readonly Member[];
  /** They hand their copies over themselves, and are members until they hold none. */
  readonly leave?: readonly NodeId[];
  /** They are gone for good: what they hold is fetched from others. */
  readonly remove?: readonly NodeId[];
  readonly replace?: readonly Replacement[];
  readonly set?: readonly MemberChange[];
}

export type TopologyRefusal = {
  readonly ok: false;
  readonly code: "unknown-node" | "known-node" | "under-way" | "bad-settings";
  readonly message: string;
};

export type PlannedTopology =
  | {
      readonly ok: true;
      /** The next version, or the very same if there is nothing to change. */
      readonly document: ClusterDocument;
      readonly summary: TopologySummary;
    }
  | TopologyRefusal;

/** Hex digits of a plan's hash: enough to tell plans apart, few enough to be typed. */
const hashDigits = 12;

/** Names a plan by the document that it leads to: whoever says it has seen just that one. */
export function planHash(document: ClusterDocument): string {
  return documentDigest(document).slice(0, hashDigits);
}

/**
 * The next version of a document, in which partitions begin to move as a change of its members
 * demands (docs/internals/moves.md); or why there is none. Pure: the same document and change make
 * the same plan everywhere. An empty change evens out what an aborted one left uneven.
 *
 * `alive` are those that can hand over copies now; all but the removed ones if left out. The
 * summary alone depends on it.
 */
export function planTopology(
  document: ClusterDocument,
  change: TopologyChange,
  alive?: ReadonlySet<NodeId>,
): PlannedTopology {
  const refusal = underWay(document, change) ?? misnamed(document, change);
  if (refusal !== undefined) return refusal;
  const members = membersAfter(document, change);
  const staying = members.filter(({ departure }) => departure === undefined);
  const { settings } = document;
  const problem = documentProblem(settings, members) ?? documentProblem(settings, staying);
  if (problem !== undefined) return { ok: false, code: "bad-settings", message: problem };
  const next = enter(document, { members, change, targets: targetsOf(document, change, staying) });
  return { ok: true, document: next, summary: summarizeTopology(document, next, alive) };
}

/**
 * Nothing new is begun before the last change is over. A removal is, once nothing moves: copies
 * that a dead member holds, or that can be dropped only with its help, would stay for ever.
 */
function underWay(
  { moves = [], leftovers = [] }: ClusterDocument,
  { join = [], leave = [], remove = [], replace = [], set = [] }: TopologyChange,
): TopologyRefusal | undefined {
  const refuse = (message: string): TopologyRefusal => {
    return { ok: false, code: "under-way", message };
  };
  if (moves.length > 0) return refuse(`${moves.length} partitions are still moving`);
  if (leftovers.length === 0) return undefined;
  const others = [...join, ...leave, ...set].length;
  const isOfTheDead = replace.every(({ departure }) => departure === "removed");
  if (others === 0 && remove.length + replace.length > 0 && isOfTheDead) return undefined;
  return refuse(`${leftovers.length} copies that have moved are not dropped yet`);
}

function misnamed(
  { members }: ClusterDocument,
  { join = [], leave = [], remove = [], replace = [], set = [] }: TopologyChange,
): TopologyRefusal | undefined {
  const refuse = (code: TopologyRefusal["code"], message: string): TopologyRefusal => {
    return { ok: false, code, message };
  };
  const present = new Set(members.map(({ id }) => id));
  const named = [
    ...leave,
    ...remove,
    ...[...replace, ...set].map(({ id }) => id),
    ...[...join, ...replace.map(({ by }) => by)].map(({ id }) => id),
  ];
  const olds = named.length - join.length - replace.length;
  const unknown = named.slice(0, olds).find((id) => !present.has(id));
  if (unknown !== undefined) return refuse("unknown-node", `${unknown} is not a member`);
  const known = named.slice(olds).find((id) => present.has(id));
  if (known !== undefined) return refuse("known-node", `${known} is a member already`);
  const twice = named.find((id, at) => named.indexOf(id) < at);
  if (twice === undefined) return undefined;
  return refuse("bad-settings", `a change says one thing of a node, and this one two of ${twice}`);
}

/** All members of the next version, sorted; those that a change says nothing of are the same. */
function membersAfter(
  { members }: ClusterDocument,
  { join = [], leave = [], remove = [], replace = [], set = [] }: TopologyChange,
): readonly Member[] {
  const departures = new Map<NodeId, Departure>([
    ...leave.map((id) => [id, "leaving"] as const),
    ...remove.map((id) => [id, "removed"] as const),
    ...replace.map(({ id, departure = "leaving" }) => [id, departure] as const),
  ]);
  const changes = new Map(set.map((change) => [change.id, change]));
  const present = members.map((member) => {
    const departure = departures.get(member.id) ?? member.departure;
    const {
      weight = member.weight,
      host = member.host,
      zone = member.zone,
    } = changes.get(member.id) ?? {};
    const isSame = weight === member.weight && host === member.host && zone === member.zone;
    if (isSame && departure === member.departure) return member;
    return { ...member, weight, host, zone, ...(departure !== undefined && { departure }) };
  });
  const newcomers = [...join, ...replace.map(({ by }) => by)].map(newcomer);
  return [...present, ...newcomers].toSorted((left, right) => (left.id < right.id ? -1 : 1));
}

/** What it says of itself, and nothing that is said of those who are members. */
function newcomer({ id, address, http, grpc, resp, host, zone, weight, nonce }: Member): Member {
  return { id, address, http, grpc, resp, host, zone, weight, nonce };
}

/** Per partition, who is to own it, by id. */
function targetsOf(
  { settings, members, owners }: ClusterDocument,
  { join = [], leave = [], remove = [], replace = [], set = [] }: TopologyChange,
  staying: readonly Member[],
): readonly (readonly NodeId[])[] {
  const successors = new Map(replace.map(({ id, by }) => [id, by.id]));
  const heirs = members.map(({ id }) => successors.get(id) ?? id);
  const previous = owners.map((list) => list.map((index) => heirs[index] as NodeId));
  const isExchange = replace.length > 0 && [...join, ...leave, ...remove, ...set].length === 0;
  if (isExchange) return previous;
  const { partitions, nMax } = settings;
  const placed = placeOwners({ members: staying, partitions, nMax, previous });
  const ids = staying.map(({ id }) => id);
  return placed.map((list) => list.map((index) => ids[index] as NodeId));
}

/** The version that enters all moves from the owners of a document to its targets. */
function enter(
  document: ClusterDocument,
  plan: {
    readonly members: readonly Member[];
    readonly change: TopologyChange;
    readonly targets: readonly (readonly NodeId[])[];
  },
): ClusterDocument {
  const { members, targets, change } = plan;
  const base = renumbered(document, members);
  const indices = new Map(members.map(({ id }, index) => [id, index]));
  const moves = targets.flatMap((target, partition) => {
    const to = target.map((id) => indices.get(id) as number);
    return moveOf(partition, base.owners[partition] as readonly number[], to) ?? [];
  });
  const isSame = members.every((member, at) => member === document.members[at]);
  if (isSame && moves.length === 0) return document;
  const receivers = new Map(moves.map(({ partition, to }) => [partition, to]));
  const leftovers = (base.leftovers ?? []).filter(
    ({ partition, member }) =>
      members[member]?.departure !== "removed" &&
      receivers.get(partition)?.includes(member) !== true,
  );
  const { join = [], leave = [], remove = [], replace = [] } = change;
  const hasOthers = [...join, ...leave, ...remove, ...replace].length > 0;
  const entered = document.epoch + 1;
  const keyed = hasOthers ? { contextKey: hex(contextKeyOf(document)) } : {};
  return nextVersion({ ...base, entered, ...keyed }, flipped(base, { moves, leftovers }));
}

function moveOf(
  partition: number,
  from: readonly number[],
  to: readonly number[],
): Move | undefined {
  const isSame = from.length === to.length && to.every((member, place) => from[place] === member);
  if (isSame) return undefined;
  return { partition, to, awaited: gainers(from, to).toSorted((left, right) => left - right) };
}
