import {
  type Key,
  type PartitionId,
  type Token,
  decodeRecordKey,
  isRecordWide,
  latin1,
  partitionOf,
  recordDeadlineMs,
  recordDigest,
  withClass,
} from "@coterie/core";
import { dueOf } from "../index/due.ts";
import type { Location } from "../index/location.ts";
import type { RecordIndex } from "../index/record-index.ts";
import { type Entry, decodeEntry, entryKinds, isRecordKind, placeOf } from "../log/format.ts";
import type { SegmentFiles } from "../log/segment-files.ts";
import { type Damage, tokenName } from "./damage.ts";
import { type Discard, type Discards, type WrittenDiscard, decodeDiscard } from "./discards.ts";
import { type Removal, type Removals, decodeRemovals } from "./removals.ts";

interface LatestEntry {
  readonly partition: PartitionId;
  readonly token: Token;
  readonly keyName: string;
  readonly location: Location;
  readonly lsn: number;
  /** Another key's record had the same token when this one was appended. */
  readonly isBeside: boolean;
}

/** What makes a key's place, and its class. */
export interface KeySpace {
  readonly partitions: number;
  readonly tokenOf: (key: Key) => Token;
  readonly classOf: (bucket: string) => number;
}

interface LatestRemoval {
  readonly segment: number;
  readonly removal: Removal;
}

/**
 * The newest entry of each key in the part of the log that was scanned, the newest removal from
 * each token, and the newest discard of each partition.
 */
export class LatestEntries {
  readonly #space: KeySpace;
  readonly #byKey = new Map<string, LatestEntry>();
  readonly #removals = new Map<string, LatestRemoval>();
  readonly #discards = new Map<PartitionId, WrittenDiscard>();

  constructor(space: KeySpace) {
    this.#space = space;
  }

  visit(segment: number, entry: Entry, offset: number): void {
    const key = decodeRecordKey(entry.body);
    if (key === undefined) return;
    const keyName = nameOfKey(key.bucket, key.key);
    const known = this.#byKey.get(keyName);
    // A compacted copy has its original's lsn: either will do.
    if (known !== undefined && known.lsn > entry.lsn) return;
    const copies = this.#space.classOf(key.bucket);
    const token = known?.token ?? this.#space.tokenOf(key);
    this.#byKey.set(keyName, {
      partition: known?.partition ?? partitionOf(token, this.#space.partitions),
      token,
      keyName,
      lsn: entry.lsn,
      isBeside: entry.kind === entryKinds.besideRecord,
      location: {
        segment,
        offset,
        length: entry.length,
        digest: withClass(recordDigest(entry.body), copies),
        due: dueOf(recordDeadlineMs(entry.body)),
        isWide: isRecordWide(entry.body, copies),
      },
    });
  }

  visitRemovals(segment: number, entry: Entry): void {
    for (const removal of decodeRemovals(entry.body, entry.lsn) ?? []) {
      this.noteRemoval(segment, removal);
    }
  }

  /** Notes a removal that was written to this segment, perhaps not for the first time. */
  noteRemoval(segment: number, removal: Removal): void {
    const name = tokenName(removal.token);
    const known = this.#removals.get(name);
    if (known !== undefined && known.removal.lsn > removal.lsn) return;
    this.#removals.set(name, { segment, removal });
  }

  /** Returns the partition, if this is where its being thrown away was first written. */
  visitDiscard(segment: number, entry: Entry): PartitionId | undefined {
    const decoded = decodeDiscard(entry.body, entry.lsn);
    if (decoded === undefined) return undefined;
    this.noteDiscard(segment, decoded.discard);
    return decoded.isFirst ? decoded.discard.partition : undefined;
  }

  /** Notes a discard that was written to this segment, perhaps not for the first time. */
  noteDiscard(segment: number, discard: Discard): void {
    const known = this.#discards.get(discard.partition);
    if (known !== undefined && known.discard.lsn > discard.lsn) return;
    this.#discards.set(discard.partition, { segment, discard });
  }

  /**
   * Takes out of the index what was removed or thrown away since the entry with `firstLsn`, of
   * which on everything was scanned: what came after its removal will be entered again.
   */
  removeFrom(index: RecordIndex, firstLsn: number): void {
    for (const { removal } of this.#removals.values()) {
      if (removal.lsn < firstLsn) continue;
      const partition = partitionOf(removal.token, this.#space.partitions);
      for (const held of index.find(partition, removal.token)) {
        index.remove(partition, removal.token, held);
      }
    }
    for (const { discard } of this.#discards.values()) {
      if (discard.lsn >= firstLsn) index.clear(discard.partition);
    }
    for (const [name, { token, partition, lsn }] of this.#byKey) {
      const removedAt = this.#removals.get(tokenName(token))?.removal.lsn ?? 0;
      const discardedAt = this.#discards.get(partition)?.discard.lsn ?? 0;
      if (Math.max(removedAt, discardedAt) > lsn) this.#byKey.delete(name);
    }
  }

  /** What must not come back, for the store that goes on with it. */
  addGoneTo(removals: Removals, discards: Discards): void {
    for (const { segment, removal } of this.#removals.values()) removals.add(segment, removal);
    for (const { segment, discard } of this.#discards.values()) discards.add(segment, discard);
  }

  /**
   * Enters them into the index, in place of what they replace. Which entry that is needs no look at
   * the disk unless tokens collide: an entry not marked as `besideRecord` was alone at its token.
   * Those go first, so that none of them meets a colliding key that came later; what was entered
   * just now is another key's for sure.
   */
  async applyTo(index: RecordIndex, files: SegmentFiles, damage: Damage): Promise<void> {
    const beside: LatestEntry[] = [];
    const entered = new Set<number>();
    for (const latest of this.#byKey.values()) {
      const [held, another] = index.find(latest.partition, latest.token);
      const isAlone = held === undefined || !entered.has(placeOf(held.segment, held.offset));
      if (latest.isBeside || another !== undefined || !isAlone) {
        beside.push(latest);
        continue;
      }
      enter(index, latest, held);
      entered.add(placeOf(latest.location.segment, latest.location.offset));
    }
    for (const latest of beside) {
      const held = index.find(latest.partition, latest.token);
      enter(index, latest, await sameKey(files, damage, held, latest));
    }
    this.#byKey.clear();
  }
}

function enter(index: RecordIndex, latest: LatestEntry, replaced: Location | undefined): void {
  const { partition, token, location } = latest;
  if (replaced === undefined) index.insert(partition, token, location);
  else index.move(partition, token, replaced, location);
}

/** Which of the entries with one token is of this very key. A damaged one may be: it stays. */
async function sameKey(
  files: SegmentFiles,
  damage: Damage,
  held: readonly Location[],
  latest: LatestEntry,
): Promise<Location | undefined> {
  for (const location of held) {
    const keyName = await readKeyName(files, location);
    if (keyName === latest.keyName) return location;
    const { segment, offset } = location;
    const { partition, token } = latest;
    if (keyName === undefined) damage.add({ partition, token, segment, offset });
  }
  return undefined;
}

async function readKeyName(files: SegmentFiles, location: Location): Promise<string | undefined> {
  const content = await files.load(location.segment, location.offset, location.length);
  const entry = content.ok ? decodeEntry(content.value, 0, location.length) : undefined;
  if (entry === undefined || !isRecordKind(entry.kind)) return undefined;
  const key = decodeRecordKey(entry.body);
  return key === undefined ? undefined : nameOfKey(key.bucket, key.key);
}

function nameOfKey(bucket: string, key: Uint8Array): string {
  return `${bucket}\0${latin1(key)}`;
}
