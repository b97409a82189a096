import { invariant } from "../invariant.ts";
import type { NodeId } from "../ids.ts";
import type { ClusterDocument, Leftover, Member, Move } from "./cluster-document.ts";
import type { PartitionId } from "./token.ts";

/** What a step of a move changes in a document. */
interface Step {
  readonly owners?: readonly (readonly number[])[];
  readonly moves: readonly Move[];
  readonly leftovers: readonly Leftover[];
}

/** What a member has got all of, in which moves. */
export interface Arrival {
  readonly id: NodeId;
  readonly partitions: readonly PartitionId[];
  /** {@link ClusterDocument.entered} of the document that named those moves when it began. */
  readonly entered: number | undefined;
}

/**
 * The next version of a document once `id` holds all that the owners of some moving partitions
 * hold; the very same if nobody waits for that. Where it is the last one awaited, the new owners
 * are the owners from then on, and those that were and are not are left with a copy each.
 *
 * Moves that were entered by another version than the arrival speaks of are others, even if they
 * look the same: between the two the owners took writes that `id` was not sent.
 */
export function arrive(
  document: ClusterDocument,
  { id, partitions, entered }: Arrival,
): ClusterDocument {
  const self = document.members.findIndex((member) => member.id === id);
  const { moves = [], leftovers = [] } = document;
  const arrived = new Set(partitions);
  const isNews = ({ partition, awaited }: Move): boolean =>
    arrived.has(partition) && awaited.includes(self);
  const isOver = document.entered !== entered || document.paused === true;
  if (isOver || !moves.some(isNews)) return document;
  const stepped = moves.map((move) =>
    isNews(move) ? { ...move, awaited: move.awaited.filter((index) => index !== self) } : move,
  );
  return nextVersion(document, flipped(document, { moves: stepped, leftovers }));
}

/**
 * The next version of a document once `id` has dropped its leftover copies of some partitions; the
 * very same if it has none of them. With the last copy of a leaving member goes the member, and one
 * that has none goes with any drop of its own: nobody else knows whether there are hints that it
 * has to deliver first.
 */
export function dropLeftovers(
  document: ClusterDocument,
  id: NodeId,
  partitions: readonly PartitionId[],
): ClusterDocument {
  const self = document.members.findIndex((member) => member.id === id);
  const dropped = new Set(partitions);
  const { moves = [], leftovers = [] } = document;
  if (document.paused === true) return document;
  const kept = leftovers.filter(
    ({ partition, member }) => member !== self || !dropped.has(partition),
  );
  const next = nextVersion(document, { moves, leftovers: kept });
  const isLeaving = document.members[self]?.departure === "leaving";
  const isGone = isLeaving && !holding(next).has(self);
  if (!isGone) return kept.length === leftovers.length ? document : next;
  return renumbered(
    next,
    next.members.filter((_, index) => index !== self),
  );
}

/**
 * The next version of a document, in which all moves under way are given up; the very same if there
 * are none. What has flipped stays. Whoever was to become an owner is left with the copy that it
 * may have a part of, and nobody departs any more: who has copies still is a member as before.
 */
export function abortMoves(document: ClusterDocument): ClusterDocument {
  const { owners, moves = [], leftovers = [] } = document;
  if (moves.length === 0) return document;
  const begun = moves.flatMap(({ partition, to }) =>
    leftBy(partition, to, owners[partition] as readonly number[]),
  );
  const members = document.members.map(stayingMember);
  const staying = { ...document, members };
  return nextVersion(staying, { moves: [], leftovers: [...leftovers, ...begun] });
}

/** Who gets keys by a move: an owner so far, too, that gets the buckets of an earlier place. */
export function gainers(from: readonly number[], to: readonly number[]): readonly number[] {
  return to.filter((member, place) => {
    const before = from.indexOf(member);
    return before < 0 || before > place;
  });
}

/** Makes the owners of the moves that await nobody those that they lead to. */
export function flipped(
  { members, owners }: Pick<ClusterDocument, "members" | "owners">,
  { moves, leftovers }: Step,
): Step {
  const next = [...owners];
  const left = [...leftovers];
  for (const { partition, to } of moves.filter(({ awaited }) => awaited.length === 0)) {
    const former = leftBy(partition, owners[partition] as readonly number[], to);
    left.push(...former.filter(({ member }) => members[member]?.departure !== "removed"));
    next[partition] = to;
  }
  const pending = moves.filter(({ awaited }) => awaited.length > 0);
  return { owners: next, moves: pending, leftovers: left };
}

/** The document with what a step changed, one epoch on; removed members that hold nothing go. */
export function nextVersion(document: ClusterDocument, step: Step): ClusterDocument {
  const { version, clusterId, settings, members, entered } = document;
  const { contextKey, level, paused, forcings } = document;
  const { owners = document.owners, moves } = step;
  const leftovers = step.leftovers.toSorted(
    (left, right) => left.partition - right.partition || left.member - right.member,
  );
  const next = {
    version,
    clusterId,
    epoch: document.epoch + 1,
    settings,
    members,
    owners,
    ...(moves.length > 0 && { moves }),
    ...(moves.length > 0 && entered !== undefined && { entered }),
    ...(leftovers.length > 0 && { leftovers }),
    ...(contextKey !== undefined && { contextKey }),
    ...(level !== undefined && { level }),
    ...(paused === true && { paused }),
    ...(forcings !== undefined && { forcings }),
  };
  return withoutRemoved(next);
}

/** The member as it is while it does not depart. */
function stayingMember(member: Member): Member {
  const { departure, ...staying } = member;
  return departure === undefined ? member : staying;
}

/** Copies of those who are in `from` and not in `to`. */
function leftBy(
  partition: PartitionId,
  from: readonly number[],
  to: readonly number[],
): readonly Leftover[] {
  return from.flatMap((member, place) =>
    to.includes(member) ? [] : [{ partition, member, place }],
  );
}

function withoutRemoved(document: ClusterDocument): ClusterDocument {
  if (document.members.every(({ departure }) => departure !== "removed")) return document;
  const held = holding(document);
  const members = document.members.filter(
    ({ departure }, index) => departure !== "removed" || held.has(index),
  );
  return members.length === document.members.length ? document : renumbered(document, members);
}

/** The members that have a copy of anything, or are to get one. */
function holding({ owners, moves = [], leftovers = [] }: ClusterDocument): ReadonlySet<number> {
  const holders = new Set<number>();
  for (const list of owners) for (const owner of list) holders.add(owner);
  for (const { to } of moves) for (const owner of to) holders.add(owner);
  for (const { member } of leftovers) holders.add(member);
  return holders;
}

/** The same document over other members, sorted by id; nobody who has a copy is missing there. */
export function renumbered(document: ClusterDocument, members: readonly Member[]): ClusterDocument {
  const indices = new Map(members.map(({ id }, index) => [id, index]));
  const table = document.members.map(({ id }) => indices.get(id));
  const indexOf = (before: number): number => {
    const index = table[before];
    invariant(index !== undefined, "only who has no copy is no member any more");
    return index;
  };
  const { moves, leftovers } = document;
  return {
    ...document,
    members,
    owners: document.owners.map((list) => list.map(indexOf)),
    ...(moves !== undefined && {
      moves: moves.map(({ partition, to, awaited }) => {
        return { partition, to: to.map(indexOf), awaited: awaited.map(indexOf) };
      }),
    }),
    ...(leftovers !== undefined && {
      leftovers: leftovers.map((leftover) => {
        return { ...leftover, member: indexOf(leftover.member) };
      }),
    }),
  };
}
