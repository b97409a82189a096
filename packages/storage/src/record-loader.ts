import { type PartitionId, Slab, type Token, decodeRecord, isRecordOf } from "@coterie/core";
import type { Location } from "./index/location.ts";
import type { RecordIndex } from "./index/record-index.ts";
import { decodeEntry, isRecordKind, placeOf } from "./log/format.ts";
import type { Group, GroupWaiter } from "./log/group.ts";
import type { SegmentFiles } from "./log/segment-files.ts";
import type { RecordCache } from "./record-cache.ts";
import type { PlacedKey, ReadOutcome, StoredRecord } from "./store.ts";
import { laneOf } from "./token-lane.ts";

/** What is read from the disk comes from here. */
const slab: Slab = new Slab();

/** A key's record, and where it is. */
export interface Found {
  readonly location: Location;
  readonly stored: StoredRecord;
}

/** What looking for a key may find besides its record. */
export type Lookup = Found | "damaged" | "absent";

export interface LoaderParts {
  readonly index: RecordIndex;
  readonly files: SegmentFiles;
  readonly cache: RecordCache;
  /** True of a record known to be damaged. */
  readonly isDamaged: (token: Token, location: Location) => boolean;
  readonly onDamage: (
    partition: PartitionId,
    token: Token,
    location: Location,
    detail: string,
  ) => void;
}

/** Finds records: in the group being gathered or written, in the cache, or on the disk. */
export class RecordLoader {
  readonly #parts: LoaderParts;
  /** Groups whose records or removals are not yet durable, in order: rarely above two. */
  #unsynced: Group[] = [];
  readsFromDisk = 0;
  readsFromCache = 0;
  readsPending = 0;

  constructor(parts: LoaderParts) {
    this.#parts = parts;
  }

  /** Notes a record that was appended and is not yet durable. */
  noteAppended(location: Location, stored: StoredRecord, group: Group): void {
    const place = placeOf(location.segment, location.offset);
    if (this.#unsynced.at(-1) !== group) this.#unsynced.push(group);
    group.places.push(place);
    group.records.push(stored);
    this.#parts.cache.set(place, stored.bytes);
  }

  /** Notes that a token's record was removed, and that this is not yet durable. */
  noteRemoved(token: Token, group: Group): void {
    if (this.#unsynced.at(-1) !== group) this.#unsynced.push(group);
    group.removed ??= new Set();
    group.removed.add(laneOf(token));
  }

  noteDurable(group: Group): void {
    if (this.#unsynced.includes(group)) {
      this.#unsynced = this.#unsynced.filter((each) => each !== group);
    }
  }

  whenDurable(location: Location, waiter: GroupWaiter): void {
    const group = this.groupOf(location);
    if (group === undefined) waiter.becameDurable();
    else group.waiters.push(waiter);
  }

  /** Tells `waiter` when what was removed from the token, if anything was, is durably gone. */
  whenRemoved(token: Token, waiter: GroupWaiter): void {
    const group = this.groupRemoving(token);
    if (group === undefined) waiter.becameDurable();
    else group.waiters.push(waiter);
  }

  /** The group that the removal from this token is to become durable with. */
  groupRemoving(token: Token): Group | undefined {
    if (this.#unsynced.length === 0) return undefined;
    const lane = laneOf(token);
    return this.#unsynced.findLast(({ removed }) => removed?.has(lane) ?? false);
  }

  /** The group that the entry there is to become durable with. */
  groupOf({ segment, offset }: Location): Group | undefined {
    for (const group of this.#unsynced) {
      if (segment === group.segment && offset >= group.offset && offset < group.end) return group;
    }
    return undefined;
  }

  /** True while what was appended to the group, or removed with it, is not durable. */
  isUnsynced(group: Group): boolean {
    return this.#unsynced.includes(group);
  }

  /** The encoded record there, if it need not be read. */
  inMemory(location: Location): Uint8Array | undefined {
    const place = placeOf(location.segment, location.offset);
    const stored = this.#unsyncedAt(location, place) ?? this.#parts.cache.get(place);
    if (stored !== undefined) this.readsFromCache += 1;
    return stored?.bytes;
  }

  #unsyncedAt(location: Location, place: number): StoredRecord | undefined {
    const group = this.groupOf(location);
    return group?.records[group.places.lastIndexOf(place)];
  }

  /** What a read of exactly this key finds, if that is durable and in memory: most is. */
  atHand(key: PlacedKey): ReadOutcome | undefined {
    const found = this.#findInMemory(key);
    if (found === undefined || this.groupOf(found.location) !== undefined) return undefined;
    const { location, stored } = found;
    const version = { digest: location.digest, bytes: stored.bytes.length };
    return { ok: true, held: { state: "present", stored }, version };
  }

  /** The record of exactly this key, if it need not be read and no other key has its token. */
  #findInMemory(key: PlacedKey): Found | undefined {
    const { cache, index, isDamaged } = this.#parts;
    const location = index.findOne(key.partition, key.token);
    if (location === undefined || isDamaged(key.token, location)) return undefined;
    const place = placeOf(location.segment, location.offset);
    const stored = this.#unsyncedAt(location, place) ?? cache.get(place);
    if (stored === undefined || !isRecordOf(stored.bytes, key)) return undefined;
    this.readsFromCache += 1;
    return { location, stored };
  }

  /**
   * Finds the record of exactly this key: at once, within the call, unless the disk has to be
   * read.
   */
  lookup(key: PlacedKey, settle: (lookup: Lookup) => void): void {
    const found = this.#findInMemory(key);
    if (found !== undefined) return settle(found);
    this.#lookupAmong(key, this.#parts.index.find(key.partition, key.token), 0, false, settle);
  }

  /** The records of all entries with this token, and whether some of them are damaged. */
  lookupToken(
    partition: PartitionId,
    token: Token,
    settle: (found: readonly Found[], isDamaged: boolean) => void,
  ): void {
    const locations = this.#parts.index.find(partition, token);
    const found: Found[] = [];
    let isDamaged = false;
    let isMoved = false;
    let pending = locations.length;
    if (pending === 0) return settle(found, false);
    for (const location of locations) {
      this.#load(partition, token, location, (stored) => {
        if (stored === "damaged") isDamaged = true;
        else if (stored === "moved") isMoved = true;
        else found.push({ location, stored });
        pending -= 1;
        if (pending > 0) return;
        if (isMoved) this.lookupToken(partition, token, settle);
        else settle(found, isDamaged);
      });
    }
  }

  #lookupAmong(
    key: PlacedKey,
    locations: readonly Location[],
    from: number,
    isDamaged: boolean,
    settle: (lookup: Lookup) => void,
  ): void {
    const location = locations[from];
    if (location === undefined) return settle(isDamaged ? "damaged" : "absent");
    this.#load(key.partition, key.token, location, (stored) => {
      if (stored === "moved") return this.lookup(key, settle);
      if (stored !== "damaged" && isRecordOf(stored.bytes, key))
        return settle({ location, stored });
      this.#lookupAmong(key, locations, from + 1, isDamaged || stored === "damaged", settle);
    });
  }

  #load(
    partition: PartitionId,
    token: Token,
    location: Location,
    settle: (stored: StoredRecord | "damaged" | "moved") => void,
  ): void {
    const { segment, offset, length } = location;
    const place = placeOf(segment, offset);
    // Read once more, or from memory, it may be sound: then the refill would leave it where it is,
    // and drop it.
    if (this.#parts.isDamaged(token, location)) return settle("damaged");
    const inMemory = this.#unsyncedAt(location, place) ?? this.#parts.cache.get(place);
    if (inMemory !== undefined) {
      this.readsFromCache += 1;
      return settle(inMemory);
    }
    this.readsFromDisk += 1;
    this.readsPending += 1;
    this.#parts.files.read(segment, offset, length, (content) => {
      this.readsPending -= 1;
      // While it was read, an update or compaction may have put the key elsewhere.
      if (!this.#parts.index.has(partition, token, location)) return settle("moved");
      const stored = content.ok ? decodeStored(content.value, length) : undefined;
      if (stored !== undefined) {
        this.#parts.cache.set(place, stored.bytes);
        return settle(stored);
      }
      const detail = content.ok ? "a bad checksum" : content.message;
      this.#parts.onDamage(partition, token, location, detail);
      settle("damaged");
    });
  }
}

/** The record of a log entry, checked; in memory of its own. */
function decodeStored(bytes: Uint8Array, length: number): StoredRecord | undefined {
  const entry = bytes.length === length ? decodeEntry(bytes, 0, length) : undefined;
  if (entry === undefined || !isRecordKind(entry.kind)) return undefined;
  const own = slab.copy(entry.body);
  const decoded = decodeRecord(own);
  return decoded.ok ? { record: decoded.record, bytes: own } : undefined;
}
