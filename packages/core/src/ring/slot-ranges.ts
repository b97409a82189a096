import type { ClusterDocument, Member } from "./cluster-document.ts";
import { redisSlots } from "./redis-slot.ts";

/** Slots that the same nodes serve, from `first` to `last`. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  /** One or more: whom to send a command to, the best first. */
  readonly members: readonly Member[];
}

/** The slots that one node is the best for, as ranges in order. */
export interface NodeSlots {
  readonly member: Member;
  readonly ranges: readonly { readonly first: number; readonly last: number }[];
}

/** Whom to name for each slot. */
export interface SlotChoice {
  /** Nodes per range at most; the n of a bucket. */
  readonly n: number;
  /** Whether a node can be sent commands now; one at least can. */
  readonly isServing: (member: Member) => boolean;
}

/**
 * All slots in order, as `CLUSTER SLOTS` says them. With `redis-slots`, each goes to the first
 * owner of its partition that serves, and on to the other primaries. With another hash a slot says
 * nothing of where its keys live, and every node coordinates every key: the slots are split evenly
 * over the members in the order of their ids. What belongs to a node that does not serve falls to
 * others, and nothing else changes.
 */
export function slotRanges(document: ClusterDocument, choice: SlotChoice): readonly SlotRange[] {
  const { settings, members } = document;
  const isPlaced = settings.hash === "redis-slots";
  const parts = isPlaced ? settings.partitions : members.length;
  const ranges: SlotRange[] = [];
  for (let part = 0; part < parts; part += 1) {
    const first = Math.ceil((part * redisSlots) / parts);
    const last = Math.ceil(((part + 1) * redisSlots) / parts) - 1;
    const preferred = isPlaced
      ? ownersOf(document, part).slice(0, choice.n)
      : [...members.slice(part), ...members.slice(0, part)];
    const serving = preferred.filter((member) => choice.isServing(member));
    // Whoever serves can stand in for owners who do not.
    const named = serving.length > 0 ? serving : members.filter(choice.isServing);
    append(ranges, { first, last, members: named.slice(0, choice.n) });
  }
  return ranges;
}

/** What each node is the best for, in the order of the first slots. */
export function slotsByNode(ranges: readonly SlotRange[]): readonly NodeSlots[] {
  const byNode = new Map<Member, { first: number; last: number }[]>();
  for (const { first, last, members } of ranges) {
    const [best] = members;
    if (best === undefined) continue;
    const own = byNode.get(best) ?? [];
    byNode.set(best, own);
    const previous = own.at(-1);
    if (previous?.last === first - 1) previous.last = last;
    else own.push({ first, last });
  }
  return [...byNode].map(([member, own]) => ({ member, ranges: own }));
}

function ownersOf({ members, owners }: ClusterDocument, partition: number): readonly Member[] {
  return (owners[partition] ?? []).map((index) => members[index] as Member);
}

function append(ranges: SlotRange[], range: SlotRange): void {
  const previous = ranges.at(-1);
  const isSame =
    previous !== undefined &&
    previous.members.length === range.members.length &&
    previous.members.every((member, at) => member === range.members[at]);
  if (isSame) ranges[ranges.length - 1] = { ...previous, last: range.last };
  else ranges.push(range);
}
