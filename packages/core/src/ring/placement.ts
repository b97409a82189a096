import type { NodeId } from "../ids.ts";
import type { Member } from "./cluster-document.ts";

export interface PlacementInput {
  /** At least one, sorted by id. */
  readonly members: readonly Member[];
  /** Q. */
  readonly partitions: number;
  readonly nMax: number;
  /** Owners so far, by node id; those who left may be among them. */
  readonly previous?: readonly (readonly NodeId[])[];
}

/** Per partition, its owners in order, as indices into the members given. */
export type Owners = readonly (readonly number[])[];

/**
 * Places min(nMax, nodes) owners per partition: Dynamo's strategy 3 (section 6.2), with an order
 * of precedence that never gives up the earlier for the later: distinct nodes; distinct hosts and
 * zones where there are enough; balance by weight; least movement from `previous`. Pure: the same
 * input gives the same table everywhere.
 */
export function placeOwners(input: PlacementInput): Owners {
  const table = new PlacementTable(input);
  table.fill();
  table.separate();
  table.balance();
  table.balanceFirsts();
  return table.owners;
}

class PlacementTable {
  readonly owners: number[][];
  readonly #members: readonly Member[];
  readonly #copies: number;
  readonly #load: number[];
  /** Copies per unit of weight if all were even. */
  readonly #fairShare: number;

  constructor({ members, partitions, nMax, previous }: PlacementInput) {
    this.#members = members;
    this.#copies = Math.min(nMax, members.length);
    this.#load = members.map(() => 0);
    const weights = members.reduce((sum, { weight }) => sum + weight, 0);
    this.#fairShare = (partitions * this.#copies) / weights;
    const indexOf = new Map(members.map(({ id }, index) => [id, index]));
    this.owners = Array.from({ length: partitions }, (_, partition) => {
      const kept = (previous?.[partition] ?? []).flatMap((id) => indexOf.get(id) ?? []);
      return [...new Set(kept)].slice(0, this.#copies);
    });
    for (const owner of this.owners.flat()) this.#add(owner, 1);
  }

  /** Gives every partition its number of owners. */
  fill(): void {
    for (let round = 0; round < this.#copies; round += 1) {
      for (const owners of this.owners) {
        if (owners.length > round) continue;
        const chosen = this.#best(owners, owners);
        owners.push(chosen);
        this.#add(chosen, 1);
      }
    }
  }

  /** Replaces owners that share a host or zone with another where somebody else would not. */
  separate(): void {
    for (const owners of this.owners) {
      for (let slot = owners.length - 1; slot > 0; slot -= 1) {
        const current = owners[slot] as number;
        const rest = owners.filter((owner) => owner !== current);
        const chosen = this.#best(rest, owners);
        if (chosen < 0 || this.#conflicts(chosen, rest) >= this.#conflicts(current, rest)) continue;
        this.#replace(owners, current, chosen);
      }
    }
  }

  /** Moves copies from the relatively fullest to the emptiest, as long as that evens them out. */
  balance(): void {
    for (let isMoved = true; isMoved;) {
      isMoved = false;
      const order = this.#members.map((_, index) => index);
      order.sort((left, right) => this.#relative(right, 0) - this.#relative(left, 0));
      for (const giver of order) {
        for (const taker of order.toReversed()) {
          if (!this.#evens(giver, taker)) break;
          if (!this.#moveSome(giver, taker)) continue;
          isMoved = true;
          break;
        }
        if (isMoved) break;
      }
    }
  }

  /**
   * Orders the owners of each partition so that first owners are even too. A node with two more
   * than another passes one on along a chain of partitions, found breadth first: the classical
   * optimal semi-matching.
   */
  balanceFirsts(): void {
    const firsts = this.#members.map(() => 0);
    for (const owners of this.owners) {
      const [first] = owners;
      if (first !== undefined) firsts[first] = (firsts[first] as number) + 1;
    }
    for (;;) {
      const order = this.#members.map((_, index) => index);
      const share = (index: number): number => (firsts[index] as number) / this.#weight(index);
      order.sort((left, right) => share(right) - share(left) || left - right);
      const isShifted = order.some((giver) => this.#shiftFirst(giver, firsts));
      if (!isShifted) return;
    }
  }

  #shiftFirst(giver: number, firsts: number[]): boolean {
    const cameBy = new Map<number, { readonly from: number; readonly partition: number }>();
    const queue = [giver];
    const isLess = (taker: number): boolean =>
      ((firsts[taker] as number) + 1) / this.#weight(taker) <
      (firsts[giver] as number) / this.#weight(giver);
    for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
      if (node !== giver && isLess(node)) {
        this.#passOn(giver, node, cameBy);
        firsts[giver] = (firsts[giver] as number) - 1;
        firsts[node] = (firsts[node] as number) + 1;
        return true;
      }
      for (const [partition, owners] of this.owners.entries()) {
        if (owners[0] !== node) continue;
        for (const other of owners) {
          if (other === giver || cameBy.has(other)) continue;
          cameBy.set(other, { from: node, partition });
          queue.push(other);
        }
      }
    }
    return false;
  }

  #passOn(
    giver: number,
    taker: number,
    cameBy: ReadonlyMap<number, { readonly from: number; readonly partition: number }>,
  ): void {
    for (let node = taker; node !== giver;) {
      const { from, partition } = cameBy.get(node) as { from: number; partition: number };
      const owners = this.owners[partition] as number[];
      owners.splice(owners.indexOf(node), 1);
      owners.unshift(node);
      node = from;
    }
  }

  /**
   * Moves copies from `giver` to `taker` while that evens them out, and beyond the first one only
   * what is above the giver's fair share: what it gives too much it would have to get back.
   * False if none could be moved.
   */
  #moveSome(giver: number, taker: number): boolean {
    let isMoved = false;
    for (const owners of this.owners) {
      const isFair = this.#relative(giver, 0) <= this.#fairShare;
      if (!this.#evens(giver, taker) || (isMoved && isFair)) break;
      if (!owners.includes(giver) || owners.includes(taker)) continue;
      const rest = owners.filter((owner) => owner !== giver);
      if (this.#conflicts(taker, rest) > this.#conflicts(giver, rest)) continue;
      this.#replace(owners, giver, taker);
      isMoved = true;
    }
    return isMoved;
  }

  #evens(giver: number, taker: number): boolean {
    return giver !== taker && this.#relative(taker, 1) < this.#relative(giver, 0);
  }

  #replace(owners: number[], current: number, chosen: number): void {
    owners[owners.indexOf(current)] = chosen;
    this.#add(current, -1);
    this.#add(chosen, 1);
  }

  /** The member that conflicts least with `rest`, then is emptiest; −1 if all are `taken`. */
  #best(rest: readonly number[], taken: readonly number[]): number {
    let best = -1;
    let bestConflicts = 0;
    for (let index = 0; index < this.#members.length; index += 1) {
      if (taken.includes(index)) continue;
      const conflicts = this.#conflicts(index, rest);
      const isBetter =
        best < 0 ||
        conflicts < bestConflicts ||
        (conflicts === bestConflicts && this.#relative(index, 1) < this.#relative(best, 1));
      if (!isBetter) continue;
      best = index;
      bestConflicts = conflicts;
    }
    return best;
  }

  /** How badly `index` would sit beside `others`: a shared host outweighs shared zones. */
  #conflicts(index: number, others: readonly number[]): number {
    const { host, zone } = this.#members[index] as Member;
    let conflicts = 0;
    for (const other of others) {
      const neighbour = this.#members[other] as Member;
      if (neighbour.host === host) conflicts += 1000;
      if (neighbour.zone === zone) conflicts += 1;
    }
    return conflicts;
  }

  #relative(index: number, more: number): number {
    return ((this.#load[index] as number) + more) / this.#weight(index);
  }

  #weight(index: number): number {
    return (this.#members[index] as Member).weight;
  }

  #add(index: number, more: number): void {
    this.#load[index] = (this.#load[index] as number) + more;
  }
}
