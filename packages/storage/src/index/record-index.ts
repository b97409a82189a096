import { type PartitionId, type RangeDigest, type Token, emptyRange } from "@coterie/core";
import type { Choice, ChoiceQuery, EntryLike } from "../store.ts";
import { dueEmpty } from "./due.ts";
import type { LiveRows } from "./live-rows.ts";
import type { Location, Place } from "./location.ts";
import { PartitionIndex, type TokenRange } from "./partition-index.ts";

/** Bytes of one segment, by what the index says of them. */
export interface SegmentUse {
  /** Of entries that the index points to. */
  live: number;
  /** Of everything in the segment; grows while it is written. */
  total: number;
}

/**
 * Where every record of the node is. Every change goes through here, so that the live bytes of each
 * segment, by which compaction chooses, are always right.
 */
export class RecordIndex {
  readonly #partitions: (PartitionIndex | undefined)[];
  readonly #use = new Map<number, SegmentUse>();
  #count = 0;

  constructor(partitions: number) {
    this.#partitions = Array.from({ length: partitions }, () => undefined);
  }

  get count(): number {
    return this.#count;
  }

  /** Entries that hold nothing that a read could show. */
  get empty(): number {
    return this.#partitions.reduce((sum, partition) => sum + (partition?.empty ?? 0), 0);
  }

  emptyIn(partition: PartitionId): number {
    return this.#partitions[partition]?.empty ?? 0;
  }

  /** Entries of records whose clocks are to be cut. */
  get wide(): number {
    return this.#partitions.reduce((sum, partition) => sum + (partition?.wide ?? 0), 0);
  }

  wideIn(partition: PartitionId): number {
    return this.#partitions[partition]?.wide ?? 0;
  }

  get partitions(): number {
    return this.#partitions.length;
  }

  get bytes(): number {
    return this.#partitions.reduce((sum, partition) => sum + (partition?.bytes ?? 0), 0);
  }

  /** Locations of the entries with exactly this token, usually one or none. */
  find(partition: PartitionId, token: Token): readonly Location[] {
    const index = this.#partitions[partition];
    if (index === undefined) return [];
    const { first, end } = index.find(token);
    if (first === end) return [];
    if (end === first + 1) return [index.location(first)];
    return Array.from({ length: end - first }, (_, at) => index.location(first + at));
  }

  /** The location of the one entry with this token; `undefined` if there is none, or several. */
  findOne(partition: PartitionId, token: Token): Location | undefined {
    return this.#partitions[partition]?.findOne(token);
  }

  /** Bytes of all entries with this token. */
  bytesOf(partition: PartitionId, token: Token): number {
    return this.#partitions[partition]?.bytesOf(token) ?? 0;
  }

  /** How many entries have this token. */
  countOf(partition: PartitionId, token: Token): number {
    return this.#partitions[partition]?.countOf(token) ?? 0;
  }

  /** True if an entry with this token is at exactly this place. */
  has(partition: PartitionId, token: Token, place: Place): boolean {
    return (this.#partitions[partition]?.slotAt(token, place) ?? -1) >= 0;
  }

  insert(partition: PartitionId, token: Token, location: Location): void {
    this.#partitionAt(partition).insert(token, location);
    this.#count += 1;
    this.use(location.segment).live += location.length;
  }

  /** Points the entry at `from` to `to`; false if no entry points to `from` any more. */
  move(partition: PartitionId, token: Token, from: Place, to: Location): boolean {
    const index = this.#partitions[partition];
    const slot = index?.slotAt(token, from) ?? -1;
    if (index === undefined || slot < 0) return false;
    this.use(from.segment).live -= index.lengthAt(slot);
    index.replace(slot, to);
    this.use(to.segment).live += to.length;
    return true;
  }

  /** Forgets the entry at exactly this place; false if no entry points there. */
  remove(partition: PartitionId, token: Token, place: Place): boolean {
    const index = this.#partitions[partition];
    const slot = index?.slotAt(token, place) ?? -1;
    if (index === undefined || slot < 0) return false;
    this.use(place.segment).live -= index.lengthAt(slot);
    index.remove(slot);
    this.#count -= 1;
    return true;
  }

  /** False if a partition's sums were wrong, see {@link PartitionIndex.verifyRoots}. */
  verifyRoots(partition: PartitionId): boolean {
    return this.#partitions[partition]?.verifyRoots() ?? true;
  }

  /** Forgets every entry of a partition. */
  clear(partition: PartitionId): void {
    const index = this.#partitions[partition];
    if (index === undefined) return;
    this.#count -= index.count;
    index.countLive((segment, length) => {
      this.use(segment).live -= length;
    });
    this.#partitions[partition] = undefined;
  }

  /** Adds the partition's entries in the wanted segments to `rows`; returns the slots seen. */
  collect(partition: PartitionId, isWanted: (segment: number) => boolean, rows: LiveRows): number {
    return this.#partitions[partition]?.collect(partition, isWanted, rows) ?? 0;
  }

  /** Entries after `after` in token order. */
  *entriesAfter(
    partition: PartitionId,
    after: Token | undefined,
  ): Generator<{ readonly token: Token; readonly location: Location }> {
    const index = this.#partitions[partition];
    if (index === undefined) return;
    for (const slot of index.slotsAfter(after)) {
      yield { token: index.token(slot), location: index.location(slot) };
    }
  }

  /** Tokens of entries that are due by `until`, see {@link PartitionIndex.due}. */
  due(
    partition: PartitionId,
    until: number,
    after: Token | undefined,
    limit: number,
  ): readonly Token[] {
    return this.#partitions[partition]?.due(until, after, limit) ?? [];
  }

  /** See {@link PartitionIndex.root}. */
  root(partition: PartitionId, above: number): RangeDigest {
    return this.#partitions[partition]?.root(above) ?? emptyRange;
  }

  /** See {@link PartitionIndex.digest}. */
  digest(partition: PartitionId, range: TokenRange): RangeDigest {
    return this.#partitions[partition]?.digest(range) ?? emptyRange;
  }

  /** A stretch of a partition's entries that are like this. */
  choose(query: ChoiceQuery): Choice {
    const index = this.#partitions[query.partition];
    if (index === undefined) return { tokens: [], last: undefined, isOver: true };
    return index.choose(choiceOf(query.like), query);
  }

  /** The counters of a segment, made on first use. */
  use(segment: number): SegmentUse {
    let use = this.#use.get(segment);
    if (use === undefined) {
      use = { live: 0, total: 0 };
      this.#use.set(segment, use);
    }
    return use;
  }

  uses(): ReadonlyMap<number, SegmentUse> {
    return this.#use;
  }

  forget(segment: number): void {
    this.#use.delete(segment);
  }

  export(partition: PartitionId): Uint32Array {
    return this.#partitions[partition]?.export() ?? new Uint32Array(0);
  }

  /** Loads a partition from a checkpoint. */
  import(partition: PartitionId, words: Uint32Array): void {
    if (words.length === 0) return;
    const index = this.#partitionAt(partition);
    index.import(words);
    this.#count += index.count;
    index.countLive((segment, length) => {
      this.use(segment).live += length;
    });
  }

  #partitionAt(partition: PartitionId): PartitionIndex {
    let index = this.#partitions[partition];
    if (index === undefined) {
      index = new PartitionIndex(partition, this.#partitions.length);
      this.#partitions[partition] = index;
    }
    return index;
  }
}

function choiceOf(like: EntryLike): (length: number, due: number) => boolean {
  if (like.kind === "larger") return (length) => length > like.bytes;
  const isEmpty = like.kind === "empty";
  return (_length, due) => (due === dueEmpty) === isEmpty;
}
