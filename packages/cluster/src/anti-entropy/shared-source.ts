import {
  type DifferingToken,
  type EntryPage,
  type InTurns,
  type NodeId,
  type PartitionId,
  type RangeDigest,
  type Ring,
  type Token,
  type TokenSpan,
  type TreeEntry,
  type TreeSource,
  classIn,
  compareTokens,
  partitionOf,
  waitFor,
} from "@coterie/core";
import type { PlacedEntry, RecordStore } from "@coterie/storage";
import { isTaker } from "../moves/roles.ts";

/** Entries taken from the index at once: first, since most spans hold few, and then. */
const pageEntriesFirst = 128;
const pageEntries = 1024;

export interface SharedSourcesParts {
  readonly self: NodeId;
  readonly store: RecordStore;
  ring(): Ring;
}

/** What this node shares with each of its peers, under the ring of now. */
export class SharedSources {
  readonly #parts: SharedSourcesParts;
  readonly #sources = new Map<NodeId, SharedSource>();
  #ring: Ring | undefined;
  /** Until what had come under earlier rings is in the index. */
  #settling: Promise<void> | undefined;

  constructor(parts: SharedSourcesParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when all that was taken under earlier rings can be seen: a write may wait for its
   * record or for room, and whoever compares under a ring relies on all that came before it (a
   * member that is getting a partition takes it for whole). False if the owners are others then.
   */
  async settled(): Promise<boolean> {
    const { tag } = this.#parts.ring().stamp;
    this.#renew();
    if (this.#settling === undefined) return true;
    await this.#settling;
    return this.#parts.ring().stamp.tag === tag;
  }

  of(peer: NodeId): SharedSource {
    const ring = this.#renew();
    let source = this.#sources.get(peer);
    if (source === undefined) {
      const { self, store } = this.#parts;
      source = new SharedSource(store, ring, self, peer);
      if (source.shared.length > 0) this.#sources.set(peer, source);
    }
    return source;
  }

  #renew(): Ring {
    const ring = this.#parts.ring();
    if (ring === this.#ring) return ring;
    this.#ring = ring;
    this.#sources.clear();
    const settling = this.#parts.store.applied().then(() => {
      if (this.#settling === settling) this.#settling = undefined;
    });
    this.#settling = settling;
    return ring;
  }
}

/**
 * This node's part of what it shares with a peer: of each partition that both hold, the keys of
 * buckets with so many copies that both hold one. Two that have only leftovers share nothing:
 * each shows its own to the owners.
 */
export class SharedSource implements TreeSource {
  readonly partitions: number;
  /**
   * What the tree is over: those that both take records of. If there are others as well, all
   * partitions of the ring after them: who has dropped a copy and who has not heard of that go by
   * one tag, and a partition has to have the same index at both.
   */
  readonly shared: readonly PartitionId[];
  /** Those that both take records of. */
  readonly kept: readonly PartitionId[];
  /** Those of which one of the two has a copy left over. */
  readonly left: readonly PartitionId[];
  readonly #store: RecordStore;
  readonly #indices = new Map<PartitionId, number>();
  /** Per partition, how many copies a bucket of too few has at most. */
  readonly #above = new Map<PartitionId, number>();

  constructor(store: RecordStore, ring: Ring, self: NodeId, peer: NodeId) {
    this.#store = store;
    this.partitions = ring.document.settings.partitions;
    const kept: PartitionId[] = [];
    const left: PartitionId[] = [];
    for (const partition of peer === self ? [] : ring.heldBy(self)) {
      const holders = ring.holders(partition);
      const own = holders.find(({ member }) => member.id === self)?.place;
      const theirs = holders.find(({ member }) => member.id === peer)?.place;
      if (own === undefined || theirs === undefined) continue;
      const takers = [self, peer].filter((node) => isTaker(ring, node, partition));
      if (takers.length === 0) continue;
      this.#above.set(partition, Math.max(own, theirs));
      (takers.length === 2 ? kept : left).push(partition);
    }
    this.kept = kept;
    this.left = left;
    for (const [index, partition] of kept.entries()) this.#indices.set(partition, index);
    for (const partition of left) this.#indices.set(partition, kept.length + partition);
    this.shared = left.length === 0 ? kept : [...kept, ...ring.document.owners.keys()];
  }

  /** Where a partition is in the list that the tree is over; `undefined`: it is not shared. */
  indexOf(partition: PartitionId): number | undefined {
    return this.#indices.get(partition);
  }

  root(partition: PartitionId): RangeDigest {
    return this.#store.root(partition, this.#aboveOf(partition));
  }

  *digest(partition: PartitionId, range: TokenSpan): InTurns<RangeDigest> {
    const above = this.#aboveOf(partition);
    return yield* waitFor(this.#store.digest({ partition, above, range }));
  }

  *entries(
    partition: PartitionId,
    span: TokenSpan | undefined,
    page: EntryPage,
  ): InTurns<readonly TreeEntry[]> {
    const above = this.#aboveOf(partition);
    const entries: TreeEntry[] = [];
    let after = page.after ?? (span === undefined ? undefined : tokenBefore(span.from));
    for (let most = pageEntriesFirst; ; most = pageEntries) {
      const limit = Math.min(most, page.limit - entries.length);
      const listed = yield* waitFor(this.#store.list(partition, after, limit));
      for (const { token, digest } of listed) {
        if (span?.until !== undefined && compareTokens(token, span.until) >= 0) return entries;
        if (classIn(digest.low) > above) entries.push({ token, digest });
      }
      after = listed.at(-1)?.token;
      if (listed.length < limit || entries.length >= page.limit) return entries;
    }
  }

  /** The entries under tokens, in their order, of partitions that both hold. */
  async under(places: readonly DifferingToken[]): Promise<readonly PlacedEntry[]> {
    const entries = await this.#store.entriesAt(places);
    return entries.filter(
      ({ token, digest }) =>
        classIn(digest.low) > this.#aboveOf(partitionOf(token, this.partitions)),
    );
  }

  /** True if both hold a copy of what a bucket with so many copies has in the partition. */
  sharesCopies(partition: PartitionId, copies: number): boolean {
    return copies > this.#aboveOf(partition);
  }

  #aboveOf(partition: PartitionId): number {
    // Of a partition that is not shared nothing is: no bucket has so many copies.
    return this.#above.get(partition) ?? Number.POSITIVE_INFINITY;
  }
}

/** `undefined` before the first of all. */
function tokenBefore({ high, low }: Token): Token | undefined {
  if (low > 0) return { high, low: low - 1 };
  return high > 0 ? { high: high - 1, low: 0xffff_ffff } : undefined;
}
