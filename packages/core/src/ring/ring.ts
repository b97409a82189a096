import { invariant } from "../invariant.ts";
import type { NodeId } from "../ids.ts";
import type { Key } from "../key.ts";
import type {
  BucketSettings,
  ClusterDocument,
  ClusterSettings,
  Member,
} from "./cluster-document.ts";
import { documentDigest, placementTag, settingsDigest } from "./document-codec.ts";
import type { ReplicaPlan } from "./replica-plan.ts";
import { shapedMember, shapedSettings } from "./ring-shapes.ts";
import { type PartitionId, type Token, partitionOf, tokenOf } from "./token.ts";

/** Which document a node goes by, as every request between nodes says. */
export interface RingStamp {
  readonly epoch: number;
  /** Names the cluster and its placement, see `placementTag`. */
  readonly tag: number;
}

export interface PreferenceList {
  readonly primaries: readonly Member[];
  /** The other members, in the order they are met walking the ring. */
  readonly fallbacks: readonly Member[];
}

/** A member that has a copy of a partition, or is getting one. */
export interface Holder {
  readonly member: Member;
  /** It has, or gets, what lies in buckets with more copies than this. */
  readonly place: number;
}

/** The table of one cluster document, made ready for requests. Immutable. */
export class Ring {
  readonly document: ClusterDocument;
  readonly #epoch: number;
  readonly #settings: ClusterSettings;
  readonly #buckets: ReadonlyMap<string, BucketSettings>;
  readonly #members: ReadonlyMap<NodeId, Member>;
  readonly #owners: readonly (readonly Member[])[];
  /** Per partition on the move, its owners when that is over. */
  readonly #next: ReadonlyMap<PartitionId, readonly Member[]>;
  /** Of the partitions whose holders are not just their owners. */
  readonly #holders: ReadonlyMap<PartitionId, readonly Holder[]>;
  /** Per n, per partition: its first n owners. Requests share these lists. */
  readonly #primaries = new Map<number, readonly (readonly Member[])[]>();
  #digest: string | undefined;
  #settingsDigest: string | undefined;
  #stamp: RingStamp | undefined;

  constructor(document: ClusterDocument) {
    this.document = document;
    this.#epoch = document.epoch;
    this.#settings = shapedSettings(document.settings);
    this.#buckets = new Map(this.#settings.buckets.map((bucket) => [bucket.name, bucket]));
    const members = document.members.map(shapedMember);
    this.#members = new Map(members.map((member) => [member.id, member]));
    const memberAt = (index: number): Member => members[index] as Member;
    this.#owners = document.owners.map((owners) => owners.map(memberAt));
    const { moves = [], leftovers = [] } = document;
    this.#next = new Map(moves.map(({ partition, to }) => [partition, to.map(memberAt)]));
    const former = new Map<PartitionId, Holder[]>();
    for (const { partition } of moves) former.set(partition, []);
    for (const { partition, member, place } of leftovers) {
      const holder = { member: memberAt(member), place };
      former.set(partition, [...(former.get(partition) ?? []), holder]);
    }
    this.#holders = new Map(
      [...former].map(([partition, rest]) => [partition, this.#holdersOf(partition, rest)]),
    );
    for (const { n } of document.settings.buckets) {
      if (this.#primaries.has(n)) continue;
      this.#primaries.set(
        n,
        this.#owners.map((owners) => owners.slice(0, n)),
      );
    }
  }

  /** Names the document; see {@link documentDigest}. */
  get digest(): string {
    this.#digest ??= documentDigest(this.document);
    return this.#digest;
  }

  /** Names the settings, which a node that starts compares with its own. */
  get settingsDigest(): string {
    this.#settingsDigest ??= settingsDigest(this.document.settings);
    return this.#settingsDigest;
  }

  get stamp(): RingStamp {
    this.#stamp ??= { epoch: this.epoch, tag: placementTag(this.document) };
    return this.#stamp;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get settings(): ClusterSettings {
    return this.#settings;
  }

  bucket(name: string): BucketSettings | undefined {
    return this.#buckets.get(name);
  }

  member(id: NodeId): Member | undefined {
    return this.#members.get(id);
  }

  /** All owners of a partition, first owner first. */
  owners(partition: PartitionId): readonly Member[] {
    const owners = this.#owners[partition];
    invariant(owners !== undefined, "a partition is from 0 to Q − 1");
    return owners;
  }

  /** True while any partition is on the move. */
  get isMoving(): boolean {
    return this.#next.size > 0;
  }

  /** Who will own a partition that is on the move, first owner first. */
  next(partition: PartitionId): readonly Member[] | undefined {
    return this.#next.get(partition);
  }

  /**
   * Who has a copy of a partition, or is getting one: its owners, those who will be, and those who
   * were and have not dropped their copies. All of them keep each other alike.
   */
  holders(partition: PartitionId): readonly Holder[] {
    return (
      this.#holders.get(partition) ??
      this.owners(partition).map((member, place) => ({ member, place }))
    );
  }

  isHolder(node: NodeId, partition: PartitionId): boolean {
    const holders = this.#holders.get(partition);
    if (holders === undefined) return this.isOwner(node, partition);
    return holders.some(({ member }) => member.id === node);
  }

  isOwner(node: NodeId, partition: PartitionId): boolean {
    return this.owners(partition).some((member) => member.id === node);
  }

  /** The partitions that `node` owns a copy of. */
  partitionsOf(node: NodeId): readonly PartitionId[] {
    return this.#owners.flatMap((owners, partition) =>
      owners.some((member) => member.id === node) ? [partition] : [],
    );
  }

  /** The partitions that `node` holds, or is getting, a copy of. */
  heldBy(node: NodeId): readonly PartitionId[] {
    return this.#owners.flatMap((_, partition) =>
      this.isHolder(node, partition) ? partition : [],
    );
  }

  /** Where `key` lives: the plan of one request. */
  plan(key: Key, bucket: BucketSettings): ReplicaPlan {
    const token = tokenOf(key, this.#settings);
    const partition = partitionOf(token, this.#settings.partitions);
    const primaries = this.#primaries.get(bucket.n)?.[partition];
    invariant(primaries !== undefined, "a request names a bucket of this ring");
    const next = this.#next.get(partition)?.slice(0, bucket.n);
    const isSame = next?.every((member) => primaries.includes(member)) ?? true;
    return new RingPlan(this.epoch, partition, token, primaries, isSame ? undefined : next);
  }

  /** The first `n` owners of a token's partition, and everybody else in ring order after them. */
  preferenceList(token: Token, n: number): PreferenceList {
    const { partitions } = this.#settings;
    const start = partitionOf(token, partitions);
    const primaries = this.owners(start).slice(0, n);
    const met = new Set<Member>(primaries);
    for (let step = 0; step < partitions && met.size < this.#members.size; step += 1) {
      for (const member of this.owners((start + step) % partitions)) met.add(member);
    }
    // With fewer partitions than nodes some own nothing, and still can stand in.
    for (const member of this.#members.values()) met.add(member);
    return { primaries, fallbacks: [...met].slice(primaries.length) };
  }

  #holdersOf(partition: PartitionId, former: readonly Holder[]): readonly Holder[] {
    const places = new Map<Member, number>();
    const lists = [this.owners(partition), this.next(partition) ?? []];
    for (const members of lists) {
      for (const [place, member] of members.entries()) {
        places.set(member, Math.min(place, places.get(member) ?? place));
      }
    }
    return [...[...places].map(([member, place]) => ({ member, place })), ...former];
  }
}

class RingPlan implements ReplicaPlan {
  readonly epoch: number;
  readonly partition: PartitionId;
  readonly token: Token;
  readonly primaries: readonly Member[];
  readonly next: readonly Member[] | undefined;

  constructor(
    epoch: number,
    partition: PartitionId,
    token: Token,
    primaries: readonly Member[],
    next: readonly Member[] | undefined,
  ) {
    this.epoch = epoch;
    this.partition = partition;
    this.token = token;
    this.primaries = primaries;
    this.next = next;
  }

  stillAppliesTo(ring: { readonly epoch: number }): boolean {
    return ring.epoch === this.epoch;
  }
}
