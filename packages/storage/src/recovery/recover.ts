import type { Disk, DiskFailure } from "@coterie/ports";
import * as io from "../disk-promises.ts";
import { RecordIndex } from "../index/record-index.ts";
import {
  type DecodedSegmentHeader,
  type Entry,
  decodeSegmentHeader,
  entryKinds,
  isRecordKind,
  segmentHeaderBytes,
  segmentName,
  segmentNumber,
} from "../log/format.ts";
import { SegmentFiles } from "../log/segment-files.ts";
import { addClasses } from "./add-classes.ts";
import { type Checkpoint, checkpointName, checkpointNumber, readCheckpoint } from "./checkpoint.ts";
import {
  type ActorMark,
  decodeActorMark,
  decodeDamageMark,
  encodeDamageMark,
} from "./control-entries.ts";
import { Damage, type DamagedEntry } from "./damage.ts";
import { type KeySpace, LatestEntries } from "./latest-entries.ts";
import { Discards } from "./discards.ts";
import { Removals } from "./removals.ts";
import { scanInOrder } from "./scan-log.ts";
import { scanSegment } from "./scan-segment.ts";

/** The state of a directory, as its files tell it. */
export interface Recovered {
  readonly ok: true;
  readonly index: RecordIndex;
  readonly damage: Damage;
  readonly removals: Removals;
  readonly discards: Discards;
  /** Segments that are gone, while removals or discards were last written to them. */
  readonly lostWithRemovals: readonly number[];
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
  /** Whether keys nobody can name were found lost now. */
  readonly lostWholeness: boolean;
  /** Records found damaged now. */
  readonly newlyDamaged: readonly DamagedEntry[];
}

export type RecoverFailure =
  | { readonly ok: false; readonly code: "io" | "disk-full"; readonly message: string }
  | {
      readonly ok: false;
      readonly code: "unknown-format" | "other-settings";
      readonly message: string;
    };

type Step = { readonly ok: true } | RecoverFailure;
const done: Step = { ok: true };

/**
 * Reads a directory as a crash, a power loss or a clean stop left it (docs/internals/log-format.md,
 * "Recovery"): the newest checkpoint, then the log after it; if that is not whole, the whole log.
 * A torn end of the last segment is cut. Damage anywhere else is noted, never taken for absence.
 */
export async function recover(disk: Disk, space: KeySpace): Promise<Recovered | RecoverFailure> {
  const listed = await io.list(disk);
  if (!listed.ok) return asFailure(listed);
  const segments = listed.value
    .flatMap((name) => segmentNumber(name) ?? [])
    .toSorted((left, right) => left - right);
  const checkpoints = listed.value.flatMap((name) => checkpointNumber(name) ?? []);
  const newest = Math.max(0, ...checkpoints);
  // An older checkpoint does not know what compaction has moved since: it is worse than none.
  for (const number of checkpoints) {
    if (number !== newest) await io.remove(disk, checkpointName(number));
  }
  const checkpoint = newest > 0 ? await readCheckpoint(disk, checkpointName(newest)) : undefined;
  if (checkpoint !== undefined && checkpoint.partitions !== space.partitions) {
    return otherPartitions(checkpoint.partitions);
  }
  const index = checkpoint?.index ?? new RecordIndex(space.partitions);
  return new Recovery(disk, space, segments, index).run(checkpoint, newest);
}

class Recovery {
  readonly #disk: Disk;
  readonly #space: KeySpace;
  readonly #segments: readonly number[];
  /** Those of the segments that are not removed. */
  readonly #left: Set<number>;
  readonly #index: RecordIndex;
  readonly #damage = new Damage();
  readonly #files: SegmentFiles;
  readonly #latest: LatestEntries;
  /** Marks of damage and of refilling: they hold in the order of the log, not of the scan. */
  readonly #marks: Entry[] = [];
  /** Entries below it are known to the checkpoint. */
  #firstLsn = 0;
  #cleanStop: ActorMark | undefined;
  #lsn = 0;
  #sequence = 0;
  #recordsRead = 0;
  #bytesCut = 0;
  #lostWholeness = false;

  constructor(disk: Disk, space: KeySpace, segments: readonly number[], index: RecordIndex) {
    this.#disk = disk;
    this.#space = space;
    this.#segments = segments;
    this.#left = new Set(segments);
    this.#index = index;
    this.#files = new SegmentFiles(disk);
    this.#latest = new LatestEntries(space);
  }

  async run(
    checkpoint: Checkpoint | undefined,
    lastCheckpoint: number,
  ): Promise<Recovered | RecoverFailure> {
    const scanned =
      checkpoint === undefined ? await this.#scanAll() : await this.#replay(checkpoint);
    if (!scanned.ok) return scanned;
    this.#applyMarks();
    const known = new Set(this.#damage.entries());
    this.#latest.removeFrom(this.#index, this.#firstLsn);
    await this.#latest.applyTo(this.#index, this.#files, this.#damage);
    if (checkpoint !== undefined) this.#noteMissing(checkpoint);
    await this.#files.closeAll();
    const removals = new Removals(this.#index);
    const discards = new Discards(this.#index);
    this.#latest.addGoneTo(removals, discards);
    const written = [...removals.segments(), ...discards.all().map(({ segment }) => segment)];
    if (this.#lostWholeness) this.#damage.isWhole = false;
    return {
      ok: true,
      index: this.#index,
      damage: this.#damage,
      removals,
      discards,
      lostWithRemovals: written.filter((segment) => !this.#left.has(segment)),
      cleanStop: this.#cleanStop,
      isNew: this.#segments.length === 0,
      usedCheckpoint: checkpoint !== undefined,
      checkpointNumber: lastCheckpoint,
      lastSegment: this.#segments.at(-1) ?? 0,
      lsn: this.#lsn,
      sequence: this.#sequence,
      recordsRead: this.#recordsRead,
      bytesCut: this.#bytesCut,
      lostWholeness: this.#lostWholeness,
      newlyDamaged: this.#damage.entries().filter((each) => !known.has(each)),
    };
  }

  /** Replays the log after a checkpoint's index, and removes segments that it does not need. */
  async #replay(checkpoint: Checkpoint): Promise<Step> {
    if (!checkpoint.hasClasses) await addClasses(this.#index, this.#files, this.#space);
    for (const { segment, bytes } of checkpoint.segments) this.#index.use(segment).total = bytes;
    for (const damaged of checkpoint.damaged) this.#damage.add(damaged);
    for (const { segment, removal } of checkpoint.removals) {
      this.#latest.noteRemoval(segment, removal);
    }
    for (const { segment, discard } of checkpoint.discards) {
      this.#latest.noteDiscard(segment, discard);
    }
    for (const partition of checkpoint.lostPartitions) this.#damage.losePartition(partition);
    this.#damage.isWhole = checkpoint.isWhole;
    this.#lsn = checkpoint.lsn;
    this.#firstLsn = checkpoint.lsn;
    this.#sequence = checkpoint.sequence;
    const needed = new Set(checkpoint.segments.map(({ segment }) => segment));
    const tail: number[] = [];
    for (const segment of this.#segments) {
      if (needed.has(segment)) continue;
      const header = await this.#headerOf(segment);
      const problem = this.#problemWith(header);
      if (problem !== undefined) return problem;
      const isCopy = typeof header === "object" && header.kind === "compacted";
      if (segment >= checkpoint.segment && !isCopy) tail.push(segment);
      else {
        const removed = await io.remove(this.#disk, segmentName(segment));
        if (!removed.ok) return asFailure(removed);
        this.#left.delete(segment);
      }
    }
    // What was appended after the checkpoint went there first.
    if (tail[0] !== checkpoint.segment) this.#lostWholeness = true;
    return this.#scanInOrder(tail, checkpoint.segment, checkpoint.offset);
  }

  /**
   * A segment that is gone takes what it held with it; the index still knows what that was. One
   * whose records have all been replaced was removed on purpose.
   */
  #noteMissing(checkpoint: Checkpoint): void {
    const present = new Set(this.#segments);
    for (const { segment } of checkpoint.segments) {
      if (present.has(segment)) continue;
      for (let partition = 0; partition < this.#space.partitions; partition += 1) {
        for (const { token, location } of this.#index.entriesAfter(partition, undefined)) {
          if (location.segment !== segment) continue;
          this.#damage.add({ partition, token, segment, offset: location.offset });
        }
      }
    }
  }

  async #headerOf(segment: number): Promise<DecodedSegmentHeader> {
    const head = await this.#files.load(segment, 0, segmentHeaderBytes);
    return head.ok ? decodeSegmentHeader(head.value) : "damaged";
  }

  /** Without a checkpoint: every segment, the newest entry of each key wins. */
  async #scanAll(): Promise<Step> {
    const normal: number[] = [];
    for (const segment of this.#segments) {
      const header = await this.#headerOf(segment);
      const problem = this.#problemWith(header);
      if (problem !== undefined) return problem;
      const isCopy = typeof header === "object" && header.kind === "compacted";
      if (!isCopy) normal.push(segment);
      else {
        const scanned = await this.#scanCompacted(segment);
        if (!scanned.ok) return scanned;
      }
    }
    return this.#scanInOrder(normal, normal[0] ?? 0, segmentHeaderBytes);
  }

  /** A compacted segment got its name when it was whole and durable: whatever lacks is rot. */
  async #scanCompacted(segment: number): Promise<Step> {
    let last: number | undefined;
    const visit = (entry: Entry, offset: number): void => {
      last = entry.kind;
      this.#visit(segment, entry, offset);
    };
    const scan = await scanSegment(this.#disk, segment, segmentHeaderBytes, visit);
    if (!scan.ok) return asFailure(scan);
    for (const { entry, offset } of scan.tailEntries) visit(entry, offset);
    const isWhole = scan.damagedStretches === 0 && scan.damagedTailBytes === 0;
    if (!isWhole || last !== entryKinds.seal) this.#lostWholeness = true;
    this.#index.use(segment).total = scan.size;
    return done;
  }

  async #scanInOrder(
    segments: readonly number[],
    firstSegment: number,
    firstOffset: number,
  ): Promise<Step> {
    const scanned = await scanInOrder(this.#disk, segments, {
      firstSegment,
      firstOffset,
      visit: (segment, entry, offset) => this.#visit(segment, entry, offset),
      onDamagedEnd: () => {
        this.#cleanStop = undefined;
      },
      onEnd: (segment, bytes) => {
        this.#index.use(segment).total = bytes;
      },
    });
    if (!scanned.ok) return asFailure(scanned);
    this.#sequence = Math.max(this.#sequence, scanned.sequence);
    this.#bytesCut += scanned.bytesCut;
    if (scanned.hasRotted) this.#lostWholeness = true;
    return done;
  }

  #visit(segment: number, entry: Entry, offset: number): void {
    if (entry.lsn < this.#firstLsn) return;
    this.#lsn = Math.max(this.#lsn, entry.lsn + 1);
    this.#cleanStop = undefined;
    if (isRecordKind(entry.kind)) {
      this.#recordsRead += 1;
      this.#latest.visit(segment, entry, offset);
    } else if (entry.kind === entryKinds.cleanStop) {
      this.#cleanStop = decodeActorMark(entry.body);
    } else if (entry.kind === entryKinds.damaged || entry.kind === entryKinds.refilled) {
      this.#marks.push({ ...entry, body: entry.body.slice() });
    } else if (entry.kind === entryKinds.gone) {
      this.#latest.visitRemovals(segment, entry);
    } else if (entry.kind === entryKinds.discarded) {
      const partition = this.#latest.visitDiscard(segment, entry);
      if (partition === undefined) return;
      this.#marks.push({ ...entry, kind: entryKinds.damaged, body: encodeDamageMark(partition) });
    }
  }

  #applyMarks(): void {
    for (const { kind, body } of this.#marks.toSorted((left, right) => left.lsn - right.lsn)) {
      const marked = decodeDamageMark(body);
      const isDamaged = kind === entryKinds.damaged;
      if (marked === "directory") this.#damage.isWhole = !isDamaged;
      else if (typeof marked === "number") {
        if (isDamaged) this.#damage.losePartition(marked);
        else this.#damage.regainPartition(marked);
      } else if (isDamaged) this.#damage.add(marked);
      else {
        for (const lost of this.#damage.remove(marked.token)) {
          this.#index.remove(lost.partition, lost.token, lost);
        }
      }
    }
  }

  #problemWith(header: DecodedSegmentHeader): RecoverFailure | undefined {
    if (header === "damaged") return undefined;
    if (header === "unknown-format") {
      const message = "the directory was written by a version that this one cannot read";
      return { ok: false, code: "unknown-format", message };
    }
    return header.partitions === this.#space.partitions
      ? undefined
      : otherPartitions(header.partitions);
  }
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
