import type { NodeId } from "../ids.ts";
import type { Member } from "./cluster-document.ts";

export interface PlacementInput {
  /** At least one, sorted by id. */
  readonly members: readonly Member[];
  /** Q. */
  readonly partitions: number;
  readonly nMax: number;
  /** Owners so far, by node id. Those who are no members have left, and others get their places. */
  readonly previous?: readonly (readonly NodeId[])[];
}

/** In the place of an owner that has left, until somebody gets it. */
const vacant = -1;

/** Sharing a host outweighs sharing zones with all other owners, of which there are fewer. */
const hostWeight = 1000;

/** A table of owners in the making: who holds what, how full everybody is, who sits badly. */
export class PlacementTable {
  /** Per partition, its owners in order, as member indices. */
  readonly owners: number[][];
  /** The same as it was at first, with vacant places. */
  readonly #kept: readonly (readonly number[])[];
  /** Owners per partition when the table is complete. */
  readonly copies: number;
  readonly members: number;
  readonly #weights: readonly number[];
  /** Hosts and zones as numbers: comparing them is the innermost loop. */
  readonly #hosts: readonly number[];
  readonly #zones: readonly number[];
  readonly #zoneCount: number;
  /** Per member, the partitions it owns. */
  readonly #held: readonly Set<number>[];
  /** Per member, how many it is the first owner of. */
  readonly #firsts: number[];
  /** Per partition, 1 if its owners are not those of the earlier table any more. */
  readonly #changed: Uint8Array;

  constructor({ members, partitions, nMax, previous }: PlacementInput) {
    this.copies = Math.min(nMax, members.length);
    this.members = members.length;
    this.#weights = members.map(({ weight }) => weight);
    this.#hosts = numbered(members.map(({ host }) => host));
    this.#zones = numbered(members.map(({ zone }) => zone));
    this.#zoneCount = new Set(this.#zones).size;
    this.#held = members.map(() => new Set<number>());
    const indexOf = new Map(members.map(({ id }, index) => [id, index]));
    this.owners = Array.from({ length: partitions }, (_, partition) => {
      const kept = (previous?.[partition] ?? []).map((id) => indexOf.get(id) ?? vacant);
      return withoutSurplus(kept, this.copies);
    });
    this.#kept = this.owners.map((owners) => [...owners]);
    this.#firsts = members.map(() => 0);
    this.#changed = new Uint8Array(partitions);
    for (const [partition, owners] of this.owners.entries()) {
      this.#addFirst(owners[0] ?? vacant, 1);
      if (previous === undefined || owners.includes(vacant)) this.#changed[partition] = 1;
      for (const owner of owners) if (owner !== vacant) this.held(owner).add(partition);
    }
  }

  held(member: number): Set<number> {
    return this.#held[member] as Set<number>;
  }

  ownersOf(partition: number): number[] {
    return this.owners[partition] as number[];
  }

  /** Whether nobody has that place among the owners yet. */
  isVacant(partition: number, place: number): boolean {
    return (this.ownersOf(partition)[place] ?? vacant) === vacant;
  }

  /** Gives a vacant place, all before which are there. */
  give(partition: number, place: number, member: number): void {
    this.ownersOf(partition)[place] = member;
    this.held(member).add(partition);
    if (place === 0) this.#addFirst(member, 1);
  }

  replace(partition: number, current: number, chosen: number): void {
    const owners = this.ownersOf(partition);
    const place = owners.indexOf(current);
    owners[place] = chosen;
    this.held(current).delete(partition);
    this.held(chosen).add(partition);
    this.#changed[partition] = 1;
    if (place !== 0) return;
    this.#addFirst(current, -1);
    this.#addFirst(chosen, 1);
  }

  /** Gives those who were owners at first, and are still or again, the places that they had. */
  restorePlaces(): void {
    for (const [partition, kept] of this.#kept.entries()) {
      if (!this.isChanged(partition)) continue;
      const owners = this.ownersOf(partition);
      const others = owners.filter((owner) => !kept.includes(owner)).values();
      this.owners[partition] = owners.map((_, place) => {
        const former = kept[place] ?? vacant;
        return owners.includes(former) ? former : (others.next().value as number);
      });
    }
  }

  /** Whether somebody has become an owner of it who was none. */
  isChanged(partition: number): boolean {
    return this.#changed[partition] === 1;
  }

  /** How full a member would be with `count` partitions, relative to its weight. */
  fullness(member: number, count: number = this.held(member).size): number {
    return count / (this.#weights[member] as number);
  }

  /** True if one partition less at `giver` and one more at `taker` makes them more even. */
  evens(giver: number, taker: number): boolean {
    return this.fullness(taker, this.held(taker).size + 1) < this.fullness(giver);
  }

  /** The same of one partition less that `giver` is the first owner of. */
  evensFirsts(giver: number, taker: number): boolean {
    const [given = 0, taken = 0] = [this.#firsts[giver], this.#firsts[taker]];
    return this.fullness(taker, taken + 1) < this.fullness(giver, given);
  }

  /** True if `chosen` may take the place of `current` without sitting worse than it. */
  mayReplace(partition: number, current: number, chosen: number): boolean {
    const owners = this.ownersOf(partition);
    if (!owners.includes(current) || owners.includes(chosen)) return false;
    return this.clashes(chosen, owners, current) <= this.clashes(current, owners, current);
  }

  zoneOf(member: number): number {
    return this.#zones[member] as number;
  }

  /** False if nobody in a zone may take the place of `current`, whatever its host. */
  mayMoveTo(zone: number, partition: number, current: number): boolean {
    const owners = this.ownersOf(partition);
    const clashes = this.clashes(current, owners, current);
    if (clashes >= hostWeight || zone === this.#zones[current]) return true;
    return this.#inZone(zone, owners, current) <= clashes;
  }

  /** False if nobody else could sit better than `current` beside the other owners. */
  mayImprove(partition: number, current: number): boolean {
    const owners = this.ownersOf(partition);
    const clashes = this.clashes(current, owners, current);
    if (clashes === 0 || clashes >= hostWeight) return clashes > 0;
    // One of more zones than there are others has none of them.
    if (this.#zoneCount >= owners.length) return true;
    for (let zone = 0; zone < this.#zoneCount; zone += 1) {
      if (this.#inZone(zone, owners, current) < clashes) return true;
    }
    return false;
  }

  #inZone(zone: number, owners: readonly number[], leaving: number): number {
    let count = 0;
    for (const owner of owners) if (owner !== leaving && this.#zones[owner] === zone) count += 1;
    return count;
  }

  /** How badly `member` sits beside `owners`, one of whom may be about to leave. */
  clashes(member: number, owners: readonly number[], leaving = -1): number {
    let clashes = 0;
    const host = this.#hosts[member];
    const zone = this.#zones[member];
    for (const owner of owners) {
      if (owner === leaving) continue;
      if (this.#hosts[owner] === host) clashes += hostWeight;
      if (this.#zones[owner] === zone) clashes += 1;
    }
    return clashes;
  }

  /**
   * Who should join a partition's owners, or take the place of the one `leaving`: who sits best,
   * then who is emptiest, then whom a hash picks. The hash mixes the sets of owners, so that the
   * work of a member that fails is shared by many. −1 if everybody is an owner.
   */
  bestFor(partition: number, leaving = -1): number {
    const owners = this.ownersOf(partition);
    let best = -1;
    let least = { clashes: 0, fullness: 0, order: 0 };
    for (let member = 0; member < this.members; member += 1) {
      if (owners.includes(member)) continue;
      const clashes = this.clashes(member, owners, leaving);
      if (best >= 0 && clashes > least.clashes) continue;
      const fullness = this.fullness(member, this.held(member).size + 1);
      const isEven = clashes === least.clashes && fullness === least.fullness;
      const isLess = clashes < least.clashes || fullness < least.fullness;
      if (best >= 0 && !isLess && !isEven) continue;
      const order = mix(partition, member);
      if (best >= 0 && !isLess && order >= least.order) continue;
      best = member;
      least = { clashes, fullness, order };
    }
    return best;
  }

  #addFirst(member: number, more: number): void {
    if (member !== vacant) this.#firsts[member] = (this.#firsts[member] as number) + more;
  }
}

/** As many owners as there are copies: vacant places go first, then the last ones. */
function withoutSurplus(owners: readonly number[], copies: number): number[] {
  let surplus = owners.length - copies;
  const kept = owners.filter((owner) => {
    if (owner !== vacant || surplus <= 0) return true;
    surplus -= 1;
    return false;
  });
  return kept.slice(0, copies);
}

/** Equal texts get equal numbers. */
function numbered(texts: readonly string[]): readonly number[] {
  const numbers = new Map<string, number>();
  return texts.map((text) => {
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    return number;
  });
}

/** The finalizer of MurmurHash3 over both numbers: any fixed scatter would do. */
function mix(partition: number, member: number): number {
  let hash = Math.imul(partition + 1, 0x9e3779b1) ^ Math.imul(member + 1, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
