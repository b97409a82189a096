import {
  type EntryPage,
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
} from "@coterie/core";
import type { RecordStore } from "@coterie/storage";

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

  constructor(parts: SharedSourcesParts) {
    this.#parts = parts;
  }

  of(peer: NodeId): SharedSource {
    const ring = this.#parts.ring();
    if (ring !== this.#ring) this.#sources.clear();
    this.#ring = ring;
    let source = this.#sources.get(peer);
    if (source === undefined) {
      const { self, store } = this.#parts;
      source = new SharedSource(store, ring, self, peer);
      if (source.shared.length > 0) this.#sources.set(peer, source);
    }
    return source;
  }
}

/**
 * This node's part of what it shares with a peer: of each partition that both own, the keys of
 * buckets with so many copies that both hold one.
 */
export class SharedSource implements TreeSource {
  readonly partitions: number;
  readonly shared: readonly PartitionId[];
  readonly #store: RecordStore;
  /** Per partition, how many copies a bucket of too few has at most. */
  readonly #above = new Map<PartitionId, number>();

  constructor(store: RecordStore, ring: Ring, self: NodeId, peer: NodeId) {
    this.#store = store;
    this.partitions = ring.document.settings.partitions;
    for (const partition of ring.partitionsOf(self)) {
      const ids = ring.owners(partition).map(({ id }) => id);
      const place = ids.indexOf(peer);
      if (place >= 0 && peer !== self) {
        this.#above.set(partition, Math.max(place, ids.indexOf(self)));
      }
    }
    this.shared = [...this.#above.keys()];
  }

  digest(partition: PartitionId, range: TokenSpan | undefined): RangeDigest {
    return this.#store.digest({ partition, above: this.#aboveOf(partition), range });
  }

  entries(
    partition: PartitionId,
    span: TokenSpan | undefined,
    page: EntryPage,
  ): readonly TreeEntry[] {
    const above = this.#aboveOf(partition);
    const entries: TreeEntry[] = [];
    let after = page.after ?? (span === undefined ? undefined : tokenBefore(span.from));
    for (let most = pageEntriesFirst; ; most = pageEntries) {
      const limit = Math.min(most, page.limit - entries.length);
      const listed = this.#store.list(partition, after, limit);
      for (const { token, digest } of listed) {
        if (span?.until !== undefined && compareTokens(token, span.until) >= 0) return entries;
        if (classIn(digest.low) > above) entries.push({ token, digest });
      }
      after = listed.at(-1)?.token;
      if (listed.length < limit || entries.length >= page.limit) return entries;
    }
  }

  /** The entries under these tokens, of partitions that both own. */
  *under(
    tokens: readonly { readonly partition: PartitionId; readonly token: Token }[],
  ): Generator<TreeEntry> {
    for (const { partition, token } of tokens) {
      const above = this.#aboveOf(partition);
      // Entries with one token stay together in a list, however short it is to be.
      for (const entry of this.#store.list(partition, tokenBefore(token), 1)) {
        const isUnder = compareTokens(entry.token, token) === 0;
        if (isUnder && classIn(entry.digest.low) > above) yield entry;
      }
    }
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
