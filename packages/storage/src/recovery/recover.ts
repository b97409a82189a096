import {
  type PartitionId,
  type Token,
  decodeRecordKey,
  latin1,
  partitionOf,
  recordDigest,
  tokenOf,
} from "@coterie/core";
import type { Disk, DiskFailure, DiskOutcome } from "@coterie/ports";
import * as io from "../disk-promises.ts";
import type { Location } from "../index/partition-index.ts";
import { RecordIndex } from "../index/record-index.ts";
import {
  type Entry,
  decodeEntry,
  entryKinds,
  segmentHeaderBytes,
  segmentName,
  segmentNumber,
} from "../log/format.ts";
import { SegmentFiles } from "../log/segment-files.ts";
import { type Checkpoint, checkpointName, checkpointNumber, readCheckpoint } from "./checkpoint.ts";
import { type ActorMark, decodeActorMark, decodeDamageMark } from "./control-entries.ts";
import { Damage } from "./damage.ts";
import { type SegmentScan, scanSegment } from "./scan-segment.ts";

/** The state of a directory, as its files tell it. */
export interface Recovered {
  readonly ok: true;
  readonly index: RecordIndex;
  readonly damage: Damage;
  /** The actor and counter to go on with; `undefined` unless the last stop was clean. */
  readonly cleanStop: ActorMark | undefined;
  readonly isNew: boolean;
  readonly usedCheckpoint: boolean;
  /** Of the newest checkpoint file, whole or not; 0 for none. */
  readonly checkpointNumber: number;
  /** The highest segment number in use; 0 for none. */
  readonly lastSegment: number;
  readonly lsn: number;
  readonly sequence: number;
  readonly recordsRead: number;
  readonly bytesCut: number;
  /** Stretches of the log found damaged now. */
  readonly damagedStretches: number;
}

export type RecoverFailure =
  | { readonly ok: false; readonly code: "io" | "disk-full"; readonly message: string }
  | {
      readonly ok: false;
      readonly code: "unknown-format" | "other-settings";
      readonly message: string;
    };

/**
 * Reads a directory as a crash, a power loss or a clean stop left it (docs/internals/log-format.md,
 * "Recovery"): the newest whole checkpoint, then the log after it; without one, the whole log. A
 * torn end of the last segment is cut. Damage anywhere else is noted, never taken for absence.
 */
export async function recover(disk: Disk, partitions: number): Promise<Recovered | RecoverFailure> {
  const listed = await io.list(disk);
  if (!listed.ok) return asFailure(listed);
  const checkpoints = listed.value
    .flatMap((name) => checkpointNumber(name) ?? [])
    .toSorted((left, right) => right - left);
  const segments = listed.value
    .flatMap((name) => segmentNumber(name) ?? [])
    .toSorted((left, right) => left - right);
  for (const number of checkpoints) {
    const checkpoint = await readCheckpoint(disk, checkpointName(number));
    if (checkpoint === undefined) continue;
    if (checkpoint.partitions !== partitions) return otherPartitions(checkpoint.partitions);
    return new Recovery(disk, partitions, segments).run(checkpoint, checkpoints[0] ?? 0);
  }
  return new Recovery(disk, partitions, segments).run(undefined, checkpoints[0] ?? 0);
}

interface LatestEntry {
  readonly partition: PartitionId;
  readonly token: Token;
  readonly keyName: string;
  readonly location: Location;
  readonly lsn: number;
}

class Recovery {
  readonly #disk: Disk;
  readonly #partitions: number;
  readonly #segments: readonly number[];
  readonly #index: RecordIndex;
  readonly #damage = new Damage();
  readonly #files: SegmentFiles;
  /** The newest entry of each key in what was scanned, by bucket and key. */
  readonly #latest = new Map<string, LatestEntry>();
  #cleanStop: ActorMark | undefined;
  #lsn = 0;
  #sequence = 0;
  #recordsRead = 0;
  #bytesCut = 0;
  #damagedStretches = 0;

  constructor(disk: Disk, partitions: number, segments: readonly number[]) {
    this.#disk = disk;
    this.#partitions = partitions;
    this.#segments = segments;
    this.#index = new RecordIndex(partitions);
    this.#files = new SegmentFiles(disk);
  }

  async run(
    checkpoint: Checkpoint | undefined,
    lastCheckpoint: number,
  ): Promise<Recovered | RecoverFailure> {
    if (checkpoint !== undefined) this.#load(checkpoint);
    const scanned =
      checkpoint === undefined ? await this.#scanAll() : await this.#replay(checkpoint);
    if (!scanned.ok) return scanned;
    const indexed = await this.#applyLatest();
    if (!indexed.ok) return indexed;
    return {
      ok: true,
      index: this.#index,
      damage: this.#damage,
      cleanStop: this.#cleanStop,
      isNew: this.#segments.length === 0,
      usedCheckpoint: checkpoint !== undefined,
      checkpointNumber: lastCheckpoint,
      lastSegment: this.#segments.at(-1) ?? 0,
      lsn: this.#lsn,
      sequence: this.#sequence,
      recordsRead: this.#recordsRead,
      bytesCut: this.#bytesCut,
      damagedStretches: this.#damagedStretches,
    };
  }

  #load(checkpoint: Checkpoint): void {
    for (const [partition, words] of checkpoint.words.entries()) {
      this.#index.import(partition, words);
    }
    for (const { segment, bytes } of checkpoint.segments) this.#index.use(segment).total = bytes;
    for (const damaged of checkpoint.damaged) this.#damage.add(damaged);
    this.#damage.isWhole = checkpoint.isWhole;
    this.#lsn = checkpoint.lsn;
    this.#sequence = checkpoint.sequence;
  }

  /** Replays the log after a checkpoint, and removes segments that it no longer needs. */
  async #replay(checkpoint: Checkpoint): Promise<{ readonly ok: true } | RecoverFailure> {
    const needed = new Set(checkpoint.segments.map(({ segment }) => segment));
    const tail: number[] = [];
    for (const segment of this.#segments) {
      if (segment >= checkpoint.segment && !(await this.#isCompacted(segment))) tail.push(segment);
      else if (!needed.has(segment)) {
        const removed = await io.remove(this.#disk, segmentName(segment));
        if (!removed.ok) return asFailure(removed);
      }
    }
    for (const segment of needed) {
      // A segment that is gone takes what it held with it; those entries read as damaged.
      if (!this.#segments.includes(segment)) this.#damagedStretches += 1;
    }
    return this.#scanInOrder(tail, checkpoint.segment, checkpoint.offset);
  }

  async #isCompacted(segment: number): Promise<boolean> {
    const scan = await io.open(this.#disk, segmentName(segment), "existing");
    if (!scan.ok) return false;
    const head = await io.read(this.#disk, scan.value, 0, segmentHeaderBytes);
    await io.close(this.#disk, scan.value);
    // Byte 12 is the kind (docs/internals/log-format.md).
    return head.ok && head.value[12] === 1;
  }

  /** Without a checkpoint: every whole segment, the newest entry of each key wins. */
  async #scanAll(): Promise<{ readonly ok: true } | RecoverFailure> {
    const normal: number[] = [];
    for (const segment of this.#segments) {
      if (!(await this.#isCompacted(segment))) {
        normal.push(segment);
        continue;
      }
      const kept = await this.#scanCompacted(segment);
      if (!kept.ok) return kept;
    }
    return this.#scanInOrder(normal, normal[0] ?? 0, segmentHeaderBytes);
  }

  /** A compacted segment without its seal was never referred to: its sources are still there. */
  async #scanCompacted(segment: number): Promise<{ readonly ok: true } | RecoverFailure> {
    const entries: { readonly entry: Entry; readonly offset: number }[] = [];
    const scan = await scanSegment(this.#disk, segment, segmentHeaderBytes, (entry, offset) => {
      entries.push({ entry, offset });
    });
    if (!scan.ok) return asFailure(scan);
    if (entries.at(-1)?.entry.kind !== entryKinds.seal && scan.damagedStretches === 0) {
      const removed = await io.remove(this.#disk, segmentName(segment));
      return removed.ok ? { ok: true } : asFailure(removed);
    }
    this.#sequence = Math.max(this.#sequence, scan.sequence + 1);
    for (const { entry, offset } of entries) this.#visit(segment, entry, offset);
    this.#noteSegment(segment, scan);
    if (scan.damagedStretches > 0) this.#lose(scan.damagedStretches);
    return { ok: true };
  }

  async #scanInOrder(
    segments: readonly number[],
    firstSegment: number,
    firstOffset: number,
  ): Promise<{ readonly ok: true } | RecoverFailure> {
    for (const [at, segment] of segments.entries()) {
      const isLast = at === segments.length - 1;
      const from = segment === firstSegment ? firstOffset : segmentHeaderBytes;
      const scan = await scanSegment(this.#disk, segment, from, (entry, offset) =>
        this.#visit(segment, entry, offset),
      );
      if (!scan.ok) return asFailure(scan);
      const { header } = scan;
      if (header !== undefined && header.partitions !== this.#partitions) {
        return otherPartitions(header.partitions);
      }
      this.#sequence = Math.max(this.#sequence, scan.sequence + 1);
      this.#noteSegment(segment, scan);
      const isTorn = isLast || !(await this.#anyLaterGroup(segments.slice(at + 1)));
      const stretches = scan.damagedStretches + Number(scan.endsDamaged && !isTorn);
      if (stretches > 0) this.#lose(stretches);
      if (isTorn && scan.endsDamaged) {
        this.#bytesCut += scan.tornBytes;
        this.#cleanStop = undefined;
        const cut = await this.#cut(segment, scan.end);
        if (!cut.ok) return asFailure(cut);
      }
    }
    return { ok: true };
  }

  /** True if some group was written after a segment was left: then it had been synced whole. */
  async #anyLaterGroup(segments: readonly number[]): Promise<boolean> {
    for (const segment of segments) {
      const scan = await scanSegment(this.#disk, segment, segmentHeaderBytes, () => undefined);
      if (scan.ok && scan.sequence >= 0) return true;
    }
    return false;
  }

  async #cut(segment: number, end: number): Promise<{ readonly ok: true } | DiskFailure> {
    const opened = await io.open(this.#disk, segmentName(segment), "existing");
    if (!opened.ok) return opened;
    const cut = await io.truncate(this.#disk, opened.value, end);
    const synced = cut.ok ? await io.sync(this.#disk, opened.value) : cut;
    await io.close(this.#disk, opened.value);
    return synced.ok ? { ok: true } : synced;
  }

  #noteSegment(segment: number, scan: SegmentScan): void {
    this.#index.use(segment).total = scan.end;
  }

  /** Damage of which nobody can say whom it hit: from now on absent keys may be lost ones. */
  #lose(stretches: number): void {
    this.#damagedStretches += stretches;
    this.#damage.isWhole = false;
  }

  #visit(segment: number, entry: Entry, offset: number): void {
    this.#lsn = Math.max(this.#lsn, entry.lsn + 1);
    this.#cleanStop = undefined;
    switch (entry.kind) {
      case entryKinds.record:
        this.#visitRecord(segment, entry, offset);
        break;
      case entryKinds.cleanStop:
        this.#cleanStop = decodeActorMark(entry.body);
        break;
      case entryKinds.damaged: {
        const damaged = decodeDamageMark(entry.body);
        if (damaged === undefined) this.#damage.isWhole = false;
        else this.#damage.add(damaged);
        break;
      }
      case entryKinds.refilled: {
        const refilled = decodeDamageMark(entry.body);
        if (refilled === undefined) this.#damage.isWhole = true;
        else this.#damage.remove(refilled.token);
        break;
      }
      default:
    }
  }

  #visitRecord(segment: number, entry: Entry, offset: number): void {
    const key = decodeRecordKey(entry.body);
    if (key === undefined) return;
    this.#recordsRead += 1;
    const keyName = nameOfKey(key.bucket, key.key);
    const known = this.#latest.get(keyName);
    if (known !== undefined && known.lsn > entry.lsn) return;
    const token = known?.token ?? tokenOf(key);
    this.#latest.set(keyName, {
      partition: partitionOf(token, this.#partitions),
      token,
      keyName,
      lsn: entry.lsn,
      location: { segment, offset, length: entry.length, digest: recordDigest(entry.body) },
    });
  }

  /** Enters the newest entries into the index, in place of what they replace. */
  async #applyLatest(): Promise<{ readonly ok: true } | RecoverFailure> {
    for (const latest of this.#latest.values()) {
      const { partition, token, location } = latest;
      const held = this.#index.find(partition, token);
      const replaced = held.length === 0 ? undefined : await this.#sameKey(held, latest);
      if (replaced === undefined) this.#index.insert(partition, token, location);
      else this.#index.move(partition, token, replaced, location);
    }
    this.#latest.clear();
    await this.#files.closeAll();
    return { ok: true };
  }

  /** Which of the entries with one token is of this very key. A damaged one is taken to be. */
  async #sameKey(held: readonly Location[], latest: LatestEntry): Promise<Location | undefined> {
    let damaged: Location | undefined;
    for (const location of held) {
      const keyName = await this.#readKeyName(location);
      if (keyName === latest.keyName) return location;
      if (keyName === undefined) damaged = location;
    }
    if (damaged !== undefined)
      this.#damage.add({ partition: latest.partition, token: latest.token });
    return damaged;
  }

  async #readKeyName(location: Location): Promise<string | undefined> {
    const { segment, offset, length } = location;
    const content = await new Promise<DiskOutcome<Uint8Array>>((resolve) => {
      this.#files.read(segment, offset, length, resolve);
    });
    if (!content.ok) return undefined;
    const entry = decodeEntry(content.value, 0, content.value.length);
    const key = entry === undefined ? undefined : decodeRecordKey(entry.body);
    return key === undefined ? undefined : nameOfKey(key.bucket, key.key);
  }
}

function nameOfKey(bucket: string, key: Uint8Array): string {
  return `${bucket}\0${latin1(key)}`;
}

function otherPartitions(found: number): RecoverFailure {
  const message = `the directory was made with ${found} partitions; start it with the same number`;
  return { ok: false, code: "other-settings", message };
}

function asFailure(failure: DiskFailure): RecoverFailure {
  return {
    ok: false,
    code: failure.error === "full" ? "disk-full" : "io",
    message: failure.message,
  };
}
