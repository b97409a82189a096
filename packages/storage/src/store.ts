import type {
  ActorId,
  CausalRecord,
  Digest,
  Dot,
  Key,
  KeyHash,
  PartitionId,
  Pressure,
  RangeDigest,
  Token,
} from "@coterie/core";

/** A key with its place: computed once per request. */
export interface PlacedKey extends Key {
  readonly token: Token;
  readonly partition: PartitionId;
}

/** A record and its encoded bytes: the same in the log, on the wire and at every replica. */
export interface StoredRecord {
  readonly record: CausalRecord;
  readonly bytes: Uint8Array;
}

/**
 * What a replica holds of a key. `unknown`: a record may have been there and was lost to damage;
 * it is not *absent*, and must not count as an answer.
 */
export type Held =
  | { readonly state: "present"; readonly stored: StoredRecord }
  | { readonly state: "absent" }
  | { readonly state: "unknown" };

export type ReadOutcome =
  | {
      readonly ok: true;
      readonly held: Held;
      /** Of what is held, where the index says it and no disk was asked. */
      readonly version?: RecordVersion;
    }
  | { readonly ok: false; readonly code: "overloaded" | "failed" };

export type UpdateOutcome =
  | { readonly ok: true; readonly changed: boolean }
  | { readonly ok: false; readonly code: "disk-full" | "overloaded" | "failed" };

/** A read-modify-write of one key. Updates of one key run one after the other, in call order. */
export interface Update {
  /**
   * Bytes that may be added to what is held, for admission: what is then appended must not be
   * larger than both together and 8 KiB.
   */
  readonly bytes: number;
  /** True for what the reserve may be spent on when the disk is full: deletes and repairs. */
  readonly mayUseReserve: boolean;
  /**
   * Given what is held, returns what to hold from now on, or `undefined` to leave it. Called at
   * most once, after admission: what it returns is appended in the same turn. `gone` removes the
   * record for good, as if there had never been one; a damaged one stays, and so does one with the
   * token of another key.
   */
  readonly apply: (held: Held) => StoredRecord | "gone" | undefined;
  /**
   * Called once: with `ok` when the key's record, changed or not, is durable, or its removal. Not
   * called within {@link RecordStore.update} itself.
   */
  readonly settle: (outcome: UpdateOutcome) => void;
}

/** An index entry, and where its record is. */
export interface PlacedEntry extends IndexEntry {
  /**
   * A number below 2^32: records are read fastest in its order, one after the other or, where the
   * numbers are near, many at once. It says nothing of which came first.
   */
  readonly place: number;
}

export interface IndexEntry {
  readonly token: Token;
  readonly digest: Digest;
  readonly bytes: number;
}

/**
 * Which record it is: of one key and one bucket, two records with the same version have the same
 * clock and values. The digest leaves out dead write ids, of which the bytes say how many.
 */
export interface RecordVersion {
  readonly digest: Digest;
  /** Of the encoded record. */
  readonly bytes: number;
}

/** The durable store of one node. */
export interface RecordStore {
  /** Mints this storage lifetime's dots; changes after damage or a rollback. */
  readonly actor: ActorId;
  /** The next dot: never one that was minted before, nor will be after any crash. */
  mint(): Dot;
  /**
   * Tells the store of a counter of its own actor seen in a peer's record. One that was never
   * minted here means that this directory was rolled back: a new actor takes over.
   */
  observeOwnCounter(counter: number): void;
  /** Reads what is durable: a record still being synced is returned once it is. */
  read(key: PlacedKey, settle: (outcome: ReadOutcome) => void): void;
  /**
   * The version of the one record held under the key's token, once it is durable. `undefined` where
   * that is not in memory, or a read has to say more: nothing is held, something may be lost, or
   * the token has several. Never settles later than a read would.
   */
  name(key: PlacedKey, settle: (version: RecordVersion | undefined) => void): void;
  /** True while an update of the key is under way that has not run; seldom of another one. */
  isChanging(key: PlacedKey): boolean;
  /**
   * Bytes of what a read would return, from memory: exactly, or where the key is not in memory, as
   * many as records of its partition have on average.
   */
  bytesHeld(key: PlacedKey): number;
  update(key: PlacedKey, update: Update): void;
  /**
   * Records with exactly this token: usually one or none. `unknown` where a read would say so,
   * unless `evenIfDamaged` asks for whatever is left, as repair does.
   */
  find(query: FindQuery, settle: (outcome: readonly StoredRecord[] | "unknown") => void): void;
  /**
   * The encoded records under many tokens, read where they lie together: of each token in turn, of
   * so many as have `bytesMax` bytes together, and of one at least. Whatever is left of what is
   * damaged. `unknown` if the store is closing.
   */
  findAll(
    query: FindAllQuery,
    settle: (found: readonly (readonly Uint8Array[])[] | "unknown") => void,
  ): void;
  /**
   * Up to `limit` index entries of a partition in token order, after `after`; without those known
   * to hold nothing that a read could show, if `skipsEmpty`. Reads no record.
   */
  list(
    partition: PartitionId,
    after: Token | undefined,
    limit: number,
    skipsEmpty?: boolean,
  ): Promise<readonly IndexEntry[]>;
  /** The index entries with exactly these tokens, in their order. Reads no record. */
  entriesAt(places: readonly PlacedToken[]): Promise<readonly PlacedEntry[]>;
  /**
   * What all entries of a partition come to, of buckets with more than `above` copies: equal at two
   * replicas that hold the same. Reads nothing.
   */
  root(partition: PartitionId, above: number): RangeDigest;
  /** What those of a range come to. Reads no record. */
  digest(query: DigestQuery): Promise<RangeDigest>;
  /** Tokens of a partition's entries that are like this, a stretch at a time. Reads no record. */
  choose(query: ChoiceQuery): Promise<Choice>;
  /** Up to `limit` entries of a partition that hold nothing, in token order after `after`. */
  tombstones(
    partition: PartitionId,
    after: Token | undefined,
    limit: number,
  ): Promise<readonly IndexEntry[]>;
  /** Up to `limit` entries of a partition whose clocks are to be cut, in token order. */
  wide(
    partition: PartitionId,
    after: Token | undefined,
    limit: number,
  ): Promise<readonly IndexEntry[]>;
  /**
   * Of each entry, whether a record with its token and digest is held, and not known to be damaged.
   */
  holding(
    partition: PartitionId,
    entries: readonly Pick<IndexEntry, "token" | "digest">[],
  ): Promise<readonly boolean[]>;
  /**
   * Resolves when each update that has come so far has been applied or refused: what it made of the
   * record is in the index then, and durable soon. Never, if the store fails before.
   */
  applied(): Promise<void>;
  /** Resolves when all updates that have been applied are durable; false if they never will be. */
  durable(): Promise<boolean>;
  /** Tokens of records of which something has expired by a given time. Reads no record. */
  expired(query: ExpiredQuery): Promise<readonly Token[]>;
  /** What is known to be lost, and not yet refilled. */
  damage(): KnownDamage;
  /** After every other primary was asked: what is held of this token is again all there is. */
  markRefilled(partition: PartitionId, token: Token): void;
  /**
   * After every owned partition was refilled: absent means absent again, but in a partition that
   * was thrown away.
   */
  markWhole(): void;
  /** After this one was refilled, having been thrown away. */
  markPartitionWhole(partition: PartitionId): void;
  /**
   * Throws away every record of a partition, for good: as a replica does whose copy is older than
   * what the others have made of theirs. From then on reads of its keys are `unknown`, until it is
   * whole again. True once that is durable; false if it could not be done, or only will be. Updates
   * go on meanwhile: those that ran before it are thrown away too.
   */
  discard(partition: PartitionId): Promise<boolean>;
  /** How many keys it holds: what {@link statistics} says too, for whoever asks often. */
  readonly keys: number;
  /**
   * All that this store once held may be lost: from now on, and after every start, whatever it is
   * asked for is `unknown`, until {@link markWhole}. False if that could not be made durable.
   */
  markLost(): Promise<boolean>;
  statistics(): StoreStatistics;
  /** Reads and checks every record in sealed segments, now; it happens slowly all the time. */
  scrub(): Promise<void>;
  /** Compacts, now, whatever is worth it; this too happens all the time. */
  compact(): Promise<void>;
  /**
   * Releases the reserve for another store on the same disk, as if this one needed it: puts are
   * refused until there is space again. False if it was spent already.
   */
  lendReserve(): Promise<boolean>;
  /** Waits for what was appended, writes the checkpoint and the mark of a clean stop, closes. */
  stop(): Promise<void>;
}

export interface FindQuery {
  readonly partition: PartitionId;
  readonly token: Token;
  readonly evenIfDamaged: boolean;
}

export interface FindAllQuery {
  readonly places: readonly PlacedToken[];
  readonly bytesMax: number;
}

export interface DigestQuery {
  readonly partition: PartitionId;
  /** Buckets with at most so many copies are left out. */
  readonly above: number;
  /** From a token on and before another; `undefined`: to the end of the partition. */
  readonly range: { readonly from: Token; readonly until: Token | undefined };
}

export interface ExpiredQuery {
  readonly partition: PartitionId;
  /** Wall time, in milliseconds; deadlines are known to the second, and never taken as earlier. */
  readonly untilMs: number;
  /** In token order after it. */
  readonly after: Token | undefined;
  readonly limit: number;
}

/** What an index entry says of its record without reading it. */
export type EntryLike =
  /** It holds something, perhaps expired. */
  | { readonly kind: "holding" }
  /** Known to hold nothing that a read could show. */
  | { readonly kind: "empty" }
  /** Its entry in the log has more bytes. */
  | { readonly kind: "larger"; readonly bytes: number };

export interface ChoiceQuery {
  readonly partition: PartitionId;
  /** In token order after it. */
  readonly after: Token | undefined;
  readonly like: EntryLike;
  /** Tokens returned at most. */
  readonly limit: number;
  /** Entries looked at, and after them those with the token of the last one. */
  readonly entriesMax: number;
}

export interface Choice {
  readonly tokens: readonly Token[];
  /** The last token looked at: where the next stretch begins. */
  readonly last: Token | undefined;
  /** Nothing comes after it. */
  readonly isOver: boolean;
}

export interface KnownDamage {
  /** Tokens of records known to be damaged. */
  readonly tokens: readonly DamagedToken[];
  /** Partitions that were thrown away. */
  readonly partitions: readonly PartitionId[];
  /** False while keys that nobody can name may be missing anywhere. */
  readonly isWhole: boolean;
}

/** A token, and the partition that it is in. */
export interface PlacedToken {
  readonly partition: PartitionId;
  readonly token: Token;
}

export type DamagedToken = PlacedToken;

/** Upper bounds, in milliseconds, by which the times of syncs are counted. */
export const fsyncBoundsMs: readonly number[] = [
  0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 250, 500, 1000,
];

/** Counters since the start, and gauges; read by metrics. */
export interface StoreStatistics {
  readonly keys: number;
  /** Of them, those that hold nothing that a read could show. */
  readonly tombstones: number;
  /** Of them, those whose clocks are to be cut, see core's `isWide`. */
  readonly wide: number;
  readonly indexBytes: number;
  readonly segments: number;
  readonly bytesLive: number;
  readonly bytesDead: number;
  readonly bytesOnDisk: number;
  readonly bytesAppended: number;
  readonly bytesCompacted: number;
  readonly recordsAppended: number;
  readonly groups: number;
  readonly fsyncs: number;
  readonly fsyncMsTotal: number;
  readonly fsyncMsMax: number;
  /** How many syncs took up to each of {@link fsyncBoundsMs}, and in the end: longer. */
  readonly fsyncCounts: readonly number[];
  readonly queueBytes: number;
  readonly queueOperations: number;
  readonly readsFromDisk: number;
  readonly readsFromCache: number;
  readonly compactions: number;
  readonly checkpoints: number;
  readonly scrubbedBytes: number;
  readonly damagedRecords: number;
  /** Records removed for good of which older parts of the log may still hold something. */
  readonly removals: number;
  readonly isDiskFull: boolean;
}

export interface StoreOptions {
  /** Q: the number of partitions. */
  readonly partitions: number;
  /** What gave the keys their tokens; a directory keeps to one. */
  readonly hash: KeyHash;
  /**
   * A bucket's n, from 1 to 64, which never changes: replicas share only records of which both hold
   * a copy, so digests are summed up by it.
   */
  readonly classOf: (bucket: string) => number;
  /** Bytes of one log segment; a record larger than this gets a segment of its own. */
  readonly segmentBytes: number;
  /** Bytes waiting to be written above which updates are refused as overloaded. */
  readonly queueBytesMax: number;
  /** Bytes of the reserve file, released when the disk is full. */
  readonly reserveBytes: number;
  /** Asked once, when the disk is full and the own reserve is spent: another store's. */
  readonly borrowReserve?: () => Promise<boolean>;
  /** `os` acknowledges once written, without fsync: data survives a process crash only. */
  readonly durability: "fsync" | "os";
  /** Memory for recently used records. */
  readonly cacheBytes: number;
  /** What the store does in the background yields to it. */
  readonly pressure?: Pressure;
  /** A failed fsync or write: the process must stop, and never acknowledge anything again. */
  readonly onFatal: (reason: string) => void;
  /** For the log: damage found, disk full, compaction done. */
  readonly onEvent: (event: StoreEvent) => void;
}

export type StoreEvent =
  | { readonly kind: "damage"; readonly segment: string; readonly detail: string }
  | { readonly kind: "disk-full" }
  | { readonly kind: "disk-space-back" }
  | { readonly kind: "new-actor"; readonly actor: ActorId; readonly reason: string }
  | { readonly kind: "compacted"; readonly segments: number; readonly bytesFreed: number };

/** What opening a directory found. */
export interface RecoveryReport {
  readonly isNew: boolean;
  readonly wasCleanStop: boolean;
  readonly usedCheckpoint: boolean;
  readonly recordsRead: number;
  readonly bytesCut: number;
  readonly damagedRecords: number;
  readonly durationMs: number;
}

export type OpenOutcome =
  | { readonly ok: true; readonly store: RecordStore; readonly report: RecoveryReport }
  | {
      readonly ok: false;
      readonly code: "disk-full" | "io" | "unknown-format" | "other-settings" | "other-engine";
      readonly message: string;
    };
