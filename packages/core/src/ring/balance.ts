import { type Chain, type Link, findChain } from "./chain.ts";
import type { PlacementTable } from "./placement-table.ts";

/**
 * Moves partitions from the fullest members to the emptiest, one at a time and as long as that
 * evens them out: then nobody gives what it would have to get back. Where hosts and zones forbid a
 * direct move, others between them pass one on.
 */
export function balance(table: PlacementTable): void {
  for (let isMoved = true; isMoved;) isMoved = balanceOnce(table);
}

/** Until nobody finds a taker any more; true if somebody did. */
function balanceOnce(table: PlacementTable): boolean {
  const offers = new Offers(table);
  const ranking = new Ranking(table);
  let isMoved = false;
  // Those from whom nobody emptier can be reached: whom they reach cannot reach them either.
  const stuck = new Set<number>();
  for (;;) {
    const giver = ranking.emptiestFirst.findLast((member) => !stuck.has(member));
    if (giver === undefined) return isMoved;
    const isTaker = (member: number): boolean => table.evens(giver, member);
    const hasTaker = ranking.emptiestFirst.some(
      (member) => !isFull(table, member) && isTaker(member),
    );
    if (!hasTaker) return isMoved;
    const { links, reached } = findChain(giver, isTaker, (member, seen) =>
      linksFrom(table, { giver: member, offers, order: ranking.emptiestFirst, seen }),
    );
    if (links.length === 0 || !passAlong(table, links)) {
      for (const member of reached) stuck.add(member);
      continue;
    }
    isMoved = true;
    for (const { to, partition } of links) offers.add(to, partition);
    for (const { from, to } of links) {
      ranking.update(from);
      ranking.update(to);
    }
  }
}

function isFull(table: PlacementTable, member: number): boolean {
  return table.held(member).size === table.owners.length;
}

/** Whom `giver` could hand a partition to, emptiest first, and which one. */
function* linksFrom(
  table: PlacementTable,
  from: {
    readonly giver: number;
    readonly offers: Offers;
    readonly order: readonly number[];
    readonly seen: ReadonlySet<number>;
  },
): Generator<Link> {
  const { giver, offers } = from;
  for (const taker of from.order) {
    if (from.seen.has(taker) || isFull(table, taker)) continue;
    const partition = offers.find(giver, taker);
    if (partition !== undefined) yield { from: giver, to: taker, partition };
  }
}

/** Makes all moves of a chain, last first, or none: one move can stand in the way of another. */
function passAlong(table: PlacementTable, links: Chain["links"]): boolean {
  for (const [done, { from, to, partition }] of links.entries()) {
    if (table.mayReplace(partition, from, to)) {
      table.replace(partition, from, to);
      continue;
    }
    for (const undo of links.slice(0, done).toReversed()) {
      table.replace(undo.partition, undo.to, undo.from);
    }
    return false;
  }
  return true;
}

/** All members, emptiest first, kept in that order while they give and take. */
class Ranking {
  readonly emptiestFirst: number[];
  readonly #table: PlacementTable;

  constructor(table: PlacementTable) {
    this.#table = table;
    this.emptiestFirst = Array.from({ length: table.members }, (_, member) => member).sort(
      (left, right) => this.#order(left, right),
    );
  }

  /** Brings a member whose fullness has changed to its place. */
  update(member: number): void {
    const order = this.emptiestFirst;
    let at = order.indexOf(member);
    const isAfter = (index: number): boolean =>
      index < order.length && this.#order(member, order[index] as number) > 0;
    const isBefore = (index: number): boolean =>
      index >= 0 && this.#order(member, order[index] as number) < 0;
    for (; isAfter(at + 1); at += 1) order[at] = order[at + 1] as number;
    for (; isBefore(at - 1); at -= 1) order[at] = order[at - 1] as number;
    order[at] = member;
  }

  #order(left: number, right: number): number {
    return this.#table.fullness(left) - this.#table.fullness(right) || left - right;
  }
}

/** Which partitions to look through: those where nobody has changed yet, or all. */
const kinds = ["first", "other", "all"] as const;
type Kind = (typeof kinds)[number];
const firstsFirst: readonly Kind[] = ["first", "other"];
const othersFirst: readonly Kind[] = ["other", "first"];

interface Candidates {
  readonly zone: number;
  readonly partitions: number[];
  /** How far the giver's list was looked through for them. */
  looked: number;
}

/**
 * What each member could give to each other. As far as it can be chosen, a partition in which no
 * other owner changes, so that most of those who have it stay, and a first place only where that
 * evens out first owners too.
 *
 * A partition that was passed over is not looked at again: what could be given later, after others
 * have changed, the next round finds.
 */
class Offers {
  readonly #table: PlacementTable;
  readonly #lists: readonly number[][];
  /** Per giver, per zone: what of its list somebody in that zone may get. */
  readonly #candidates: Map<number, Candidates>[];
  /** Per giver, per taker and kind: how far those were looked through. */
  readonly #cursors: (Int32Array | undefined)[] = [];

  constructor(table: PlacementTable) {
    this.#table = table;
    this.#lists = Array.from({ length: table.members }, (_, member) => [...table.held(member)]);
    this.#candidates = this.#lists.map(() => new Map<number, Candidates>());
  }

  /** `member` has got a partition that it could pass on. */
  add(member: number, partition: number): void {
    this.#lists[member]?.push(partition);
  }

  find(giver: number, taker: number): number | undefined {
    const any = this.#findOf("all", giver, taker);
    if (any === undefined) return undefined;
    const isFirst = this.#table.evensFirsts(giver, taker);
    for (const kind of isFirst ? firstsFirst : othersFirst) {
      const partition = this.#findOf(kind, giver, taker);
      if (partition !== undefined) return partition;
    }
    return any;
  }

  #findOf(kind: Kind, giver: number, taker: number): number | undefined {
    const candidates = this.#candidatesOf(giver, taker);
    this.#cursors[giver] ??= new Int32Array(this.#table.members * kinds.length);
    const cursors = this.#cursors[giver];
    const slot = taker * kinds.length + kinds.indexOf(kind);
    for (let at = cursors[slot] as number; ; at += 1) {
      const partition = this.#candidateAt(at, giver, candidates);
      const isOver = partition === undefined;
      if (!isOver && !this.#isOf(kind, partition, giver)) continue;
      if (!isOver && !this.#table.mayReplace(partition, giver, taker)) continue;
      cursors[slot] = at;
      return partition;
    }
  }

  #candidatesOf(giver: number, taker: number): Candidates {
    const byZone = this.#candidates[giver] as Map<number, Candidates>;
    const zone = this.#table.zoneOf(taker);
    const known = byZone.get(zone);
    if (known !== undefined) return known;
    const candidates = { zone, partitions: [], looked: 0 };
    byZone.set(zone, candidates);
    return candidates;
  }

  #candidateAt(at: number, giver: number, candidates: Candidates): number | undefined {
    const list = this.#lists[giver] as readonly number[];
    const { zone, partitions } = candidates;
    for (; partitions.length <= at && candidates.looked < list.length; candidates.looked += 1) {
      const partition = list[candidates.looked] as number;
      if (this.#table.mayMoveTo(zone, partition, giver)) partitions.push(partition);
    }
    return partitions[at];
  }

  #isOf(kind: Kind, partition: number, giver: number): boolean {
    if (kind === "all") return true;
    const isFirst = this.#table.ownersOf(partition)[0] === giver;
    return !this.#table.isChanged(partition) && isFirst === (kind === "first");
  }
}
