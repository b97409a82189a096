import { invariant } from "@coterie/core";
import type { Clock, Disk, DiskFailure, Random } from "@coterie/ports";
import * as io from "../disk-promises.ts";
import { fsyncBoundsMs } from "../store.ts";
import {
  entryHeaderBytes,
  type EntryKind,
  groupHeaderBytes,
  segmentHeaderBytes,
} from "./format.ts";
import { Group, type GroupWaiter } from "./group.ts";
import { type OpenSegment, SegmentAllocator, createSegment } from "./segment-allocator.ts";

/** `wait`: room is being made, ask again when told so. `full`: there is none on the disk. */
export type Admission = "room" | "wait" | "full";

export interface Appended {
  readonly segment: number;
  readonly offset: number;
  /** Bytes of the whole entry. */
  readonly length: number;
  /** The group it will become durable with. */
  readonly group: Group;
}

export interface LogStart {
  readonly open: OpenSegment;
  /** The next group's sequence number, and the next entry's lsn. */
  readonly sequence: number;
  readonly lsn: number;
}

export interface LogParts {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly random: Random;
  readonly partitions: number;
  readonly segmentBytes: number;
  readonly durability: "fsync" | "os";
  readonly start: LogStart;
  /** Body of the actor entry that every segment begins with, so that old ones are not needed. */
  readonly preamble: () => { readonly kind: EntryKind; readonly body: Uint8Array };
  readonly nextSegmentNumber: () => number;
  /** Room was made, a group is full, or so is the disk: those who wait may ask again. */
  readonly onRoom: () => void;
  /** Called before the waiters of a group that became durable. */
  readonly onDurable: (group: Group) => void;
  readonly onOpened: (open: OpenSegment) => void;
  readonly onRotated: (segment: number, bytes: number) => void;
  readonly onFatal: (reason: string) => void;
}

/** Where replay begins after a checkpoint: everything appended before is known to it. */
export interface ReplayStart {
  readonly segment: number;
  readonly offset: number;
  readonly lsn: number;
  readonly sequence: number;
}

/** Buffers kept for the next groups, and the largest worth keeping. */
const spareBuffersMax = 4;
const spareBufferBytesMax = 4 * 1024 * 1024;
const firstBufferBytes = 8 * 1024;
/**
 * Large records are added to a group up to here: syncing it takes as long as syncing a small one,
 * while 16 MiB take five times that (ext4 on a cloud disk; docs/internals/log-format.md).
 */
const groupBytesMax = 1024 * 1024;
/** In small segments less of each: of a segment, and of that. */
const groupShareMax = 8;
const largeShareMin = 32;
/** A group that had as many records is a sign of load. */
const pacedRecordsMin = 4;
/** How long the next one then gathers, in turns of the event loop and in milliseconds. */
const pacedTurns = 10;
const pacedMs = 1;

interface LogCounters {
  groups: number;
  fsyncs: number;
  fsyncMsTotal: number;
  fsyncMsMax: number;
  readonly fsyncCounts: number[];
  bytesAppended: number;
}

/**
 * The append-only log: group commit over segments. One group is written and synced at a time, and
 * the next one gathers meanwhile: so a group holds all that arrived during one sync of the disk,
 * and a damaged entry that a later group follows cannot be a torn write.
 */
export class Log {
  readonly counters: LogCounters = {
    groups: 0,
    fsyncs: 0,
    fsyncMsTotal: 0,
    fsyncMsMax: 0,
    fsyncCounts: Array.from({ length: fsyncBoundsMs.length + 1 }, () => 0),
    bytesAppended: 0,
  };
  readonly #parts: LogParts;
  readonly #allocator: SegmentAllocator;
  /** Bytes of a group that has room for no more large records; and what is large. */
  readonly #groupBytesMax: number;
  readonly largeBytesMin: number;
  #current: OpenSegment;
  #next: OpenSegment | undefined;
  #isPreparing = false;
  #preparing: Promise<void> = Promise.resolve();
  #isFull = false;
  /** End of the last group that was closed in the current segment. */
  #position: number = segmentHeaderBytes;
  #sequence: number;
  #lsn: number;
  #gathering: Group | undefined;
  readonly #closed: Group[] = [];
  #inFlight: Group | undefined;
  /** Segments left behind of which groups are still to be written. */
  readonly #leaving = new Map<number, OpenSegment>();
  /** Segments left behind that nobody has synced: with `durability: os` only. */
  readonly #unsynced = new Set<OpenSegment>();
  #isScheduled = false;
  #isBroken = false;
  #isClosing = false;
  /** Somebody waits for the group that gathers to be closed. */
  #isClosingAwaited = false;
  readonly #spareBuffers: Uint8Array[] = [];

  constructor(parts: LogParts) {
    this.#parts = parts;
    this.#current = parts.start.open;
    this.#sequence = parts.start.sequence;
    this.#lsn = parts.start.lsn;
    this.#groupBytesMax = Math.min(groupBytesMax, parts.segmentBytes / groupShareMax);
    this.largeBytesMin = this.#groupBytesMax / largeShareMin;
    this.#allocator = new SegmentAllocator({
      disk: parts.disk,
      clock: parts.clock,
      segmentBytes: parts.segmentBytes,
      onProgress: () => parts.onRoom(),
      onFailure: (failure) => this.#allocationFailed(failure),
    });
  }

  /** Everything before it was appended, and a group begins there. */
  get replayStart(): ReplayStart {
    const offset = this.#gathering?.offset ?? this.#position;
    const { segment } = this.#current;
    return { segment, offset, lsn: this.#lsn, sequence: this.#sequence };
  }

  /** Bytes used of the current segment. */
  get end(): number {
    return this.#gathering?.end ?? this.#position;
  }

  get lsn(): number {
    return this.#lsn;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** True if something was appended to a group that is not closed. */
  get isGathering(): boolean {
    return this.#gathering !== undefined;
  }

  /** True if the segment may still be written to. */
  isOpen(segment: number): boolean {
    return (
      segment === this.#current.segment ||
      segment === this.#next?.segment ||
      this.#leaving.has(segment)
    );
  }

  /**
   * True if a large record may be appended before the next group begins to gather, given the bytes
   * of those that will be; otherwise {@link LogParts.onRoom} is called when it does.
   */
  hasShare(bytes: number, comingBytes: number): boolean {
    const bytesBefore = (this.#gathering?.length ?? 0) + comingBytes;
    // A group has at least one, whatever its size.
    if (bytesBefore === 0 || bytesBefore + bytes <= this.#groupBytesMax) return true;
    this.#isClosingAwaited = true;
    return false;
  }

  /** Asks for room for an entry of `bodyBytes`, and has it made if there is none. */
  admit(bodyBytes: number): Admission {
    const needed = groupHeaderBytes + entryHeaderBytes + bodyBytes;
    const { end } = this;
    if (end + needed <= this.#current.allocated) return "room";
    const isHere = end + needed <= this.#parts.segmentBytes;
    const open = isHere ? this.#current : this.#next;
    // A record larger than a segment gets one of its own, made as large as it needs.
    const from = isHere ? end : this.#preambleEnd();
    if (open !== undefined && from + needed <= open.allocated) return "room";
    if (this.#isFull) return "full";
    if (open === undefined) this.#prepareNext();
    else this.#allocator.hurry(open, from + needed);
    return "wait";
  }

  /** Appends an entry for which {@link admit} found room in this turn. */
  append(kind: EntryKind, body: Uint8Array): Appended {
    const length = entryHeaderBytes + body.length;
    if (this.end + groupHeaderBytes + length > this.#current.allocated) this.#rotate();
    const group = this.#openGroup();
    const offset = group.append(kind, this.#takeLsn(), body);
    invariant(group.end <= this.#current.allocated, "an entry is written where room was made");
    this.#schedule();
    return { segment: group.segment, offset, length, group };
  }

  /** Tells `waiter` when all that was appended so far is durable. */
  whenDurable(waiter: GroupWaiter): void {
    const last = this.#gathering ?? this.#closed.at(-1) ?? this.#inFlight;
    if (last !== undefined) last.waiters.push(waiter);
    else if (!this.#isBroken) this.#parts.clock.afterTurn(() => waiter.becameDurable());
  }

  /** Syncs what `durability: os` left to the system: before something durable points to it. */
  async harden(): Promise<void> {
    if (this.#parts.durability === "fsync") return;
    const written = [...this.#unsynced, this.#current];
    for (const open of written) {
      const synced = await io.sync(this.#parts.disk, open.file);
      if (!synced.ok) return this.#break(`syncing the log failed: ${synced.message}`);
      if (open !== this.#current) this.#unsynced.delete(open);
    }
  }

  /** The disk has space again: allocation is tried anew. */
  retryAllocation(): void {
    this.#isFull = false;
    this.#keepAhead();
    this.#parts.onRoom();
  }

  /** Resolves when nothing is written any more, and files may be closed. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#preparing;
    await this.#allocator.stop();
  }

  #takeLsn(): number {
    const lsn = this.#lsn;
    this.#lsn += 1;
    return lsn;
  }

  #openGroup(): Group {
    if (this.#gathering === undefined) {
      const buffer = this.#spareBuffers.pop() ?? new Uint8Array(firstBufferBytes);
      this.#gathering = new Group(this.#current.segment, this.#position, buffer);
    }
    return this.#gathering;
  }

  /** Goes on in the next segment; what has gathered goes out as a group of the old one. */
  #rotate(): void {
    const next = this.#next;
    invariant(next !== undefined, "a segment is left when the next one is ready");
    if (this.#gathering !== undefined) this.#closeGathering(this.#gathering);
    this.#leaving.set(this.#current.segment, this.#current);
    if (this.#parts.durability === "os") this.#unsynced.add(this.#current);
    this.#parts.onRotated(this.#current.segment, this.#position);
    this.#current = next;
    this.#next = undefined;
    this.#position = segmentHeaderBytes;
    const { kind, body } = this.#parts.preamble();
    this.#openGroup().append(kind, this.#takeLsn(), body);
  }

  /** Where a record goes that is the first of a segment. */
  #preambleEnd(): number {
    return segmentHeaderBytes + entryHeaderBytes + this.#parts.preamble().body.length;
  }

  #closeGathering(group: Group): void {
    this.#closed.push(group);
    this.#position = group.end;
    this.#gathering = undefined;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#inFlight !== undefined || this.#isBroken) return;
    this.#isScheduled = true;
    this.#parts.clock.afterTurn(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#inFlight !== undefined || this.#isBroken) return;
    if (this.#closed.length === 0 && this.#gathering !== undefined) {
      this.#closeGathering(this.#gathering);
    }
    const group = this.#closed.shift();
    if (group === undefined) return;
    this.#inFlight = group;
    const { disk } = this.#parts;
    const open = this.#openSegmentOf(group);
    const bytes = group.finish(this.#sequence, open.salt);
    this.#sequence += 1;
    this.counters.bytesAppended += bytes.length;
    disk.write(open.file, group.offset, bytes, (written) => {
      if (!written.ok) return this.#break(`writing the log failed: ${written.message}`);
      if (this.#parts.durability === "os") return this.#finish(group);
      const started = this.#parts.clock.monotonicMs();
      disk.sync(open.file, (synced) => {
        if (!synced.ok) return this.#break(`syncing the log failed: ${synced.message}`);
        this.#countSync(this.#parts.clock.monotonicMs() - started);
        this.#finish(group);
      });
    });
    this.#keepAhead();
    if (!this.#isClosingAwaited) return;
    this.#isClosingAwaited = false;
    this.#parts.onRoom();
  }

  #openSegmentOf(group: Group): OpenSegment {
    if (group.segment === this.#current.segment) return this.#current;
    const open = this.#leaving.get(group.segment);
    invariant(open !== undefined, "a group's segment is open until it is written");
    return open;
  }

  #finish(group: Group): void {
    if (this.#isBroken) return;
    this.#inFlight = undefined;
    this.counters.groups += 1;
    this.#parts.onDurable(group);
    for (const waiter of group.waiters) waiter.becameDurable();
    const { buffer } = group;
    if (buffer.length <= spareBufferBytesMax && this.#spareBuffers.length < spareBuffersMax) {
      this.#spareBuffers.push(buffer);
    }
    for (const segment of this.#leaving.keys()) {
      const isNeeded = this.#closed.some((closed) => closed.segment === segment);
      if (!isNeeded) this.#leaving.delete(segment);
    }
    if (this.#closed.length > 0) this.#flush();
    else if (this.#gathering !== undefined) this.#pace(group.places.length);
  }

  /**
   * Lets the next group gather for some turns if the last one was shared by many: under load those
   * turns bring more, and each sync, and each message that answers it, serves more of them. A
   * client that waits alone is never made to wait, nor anybody longer than a fraction of a sync.
   */
  #pace(records: number): void {
    if (records < pacedRecordsMin) return this.#flush();
    const { clock } = this.#parts;
    const latestMs = clock.monotonicMs() + pacedMs;
    let turns = 0;
    this.#isScheduled = true;
    const turn = (): void => {
      turns += 1;
      if (turns < pacedTurns && clock.monotonicMs() < latestMs) return clock.afterTurn(turn);
      this.#isScheduled = false;
      this.#flush();
    };
    clock.afterTurn(turn);
  }

  /** After a failed write or sync nothing that the disk says is trusted: nothing settles. */
  #break(reason: string): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#parts.onFatal(reason);
  }

  #countSync(ms: number): void {
    this.counters.fsyncs += 1;
    this.counters.fsyncMsTotal += ms;
    if (ms > this.counters.fsyncMsMax) this.counters.fsyncMsMax = ms;
    const bucket = fsyncBoundsMs.findIndex((bound) => ms <= bound);
    const at = bucket < 0 ? fsyncBoundsMs.length : bucket;
    this.counters.fsyncCounts[at] = (this.counters.fsyncCounts[at] as number) + 1;
  }

  #keepAhead(): void {
    if (this.#isFull) return;
    const ends = [{ open: this.#current, position: this.#position }];
    if (this.#next !== undefined) ends.push({ open: this.#next, position: segmentHeaderBytes });
    this.#allocator.keepAhead(ends);
    if (this.#position > this.#parts.segmentBytes / 2 && this.#next === undefined) {
      this.#prepareNext();
    }
  }

  #prepareNext(): void {
    if (this.#isPreparing || this.#isFull || this.#isClosing) return;
    this.#isPreparing = true;
    const segment = this.#parts.nextSegmentNumber();
    this.#preparing = createSegment(this.#parts, segment, this.#parts.partitions).then(
      (created) => {
        this.#isPreparing = false;
        if (!created.ok) return this.#allocationFailed(created);
        this.#next = created.value;
        this.#parts.onOpened(created.value);
        this.#keepAhead();
        this.#parts.onRoom();
      },
    );
  }

  #allocationFailed(failure: DiskFailure): void {
    if (failure.error !== "full") return this.#break(`the log cannot grow: ${failure.message}`);
    this.#isFull = true;
    this.#parts.onRoom();
  }
}
