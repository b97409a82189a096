import { invariant } from "@coterie/core";
import type { Clock, Disk, DiskOutcome } from "@coterie/ports";
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
  readonly lsn: number;
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
  readonly partitions: number;
  readonly segmentBytes: number;
  readonly durability: "fsync" | "os";
  readonly start: LogStart;
  /** Entries every new segment begins with, so that old segments are never needed for them. */
  readonly preamble: () => readonly { readonly kind: EntryKind; readonly body: Uint8Array }[];
  readonly nextSegmentNumber: () => number;
  /** Room was made, or the disk was found full: those who wait may ask again. */
  readonly onRoom: () => void;
  /** Called before the waiters of a group that became durable. */
  readonly onDurable: (group: Group) => void;
  readonly onOpened: (open: OpenSegment) => void;
  readonly onRotated: (sealed: OpenSegment, bytes: number) => void;
  readonly onFatal: (reason: string) => void;
}

export interface LogCounters {
  groups: number;
  fsyncs: number;
  fsyncMsTotal: number;
  fsyncMsMax: number;
  bytesAppended: number;
  entriesAppended: number;
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
    bytesAppended: 0,
    entriesAppended: 0,
  };
  readonly #parts: LogParts;
  readonly #allocator: SegmentAllocator;
  #current: OpenSegment;
  #next: OpenSegment | undefined;
  #isPreparing = false;
  #isFull = false;
  /** End of the last group that was closed in the current segment. */
  #position: number;
  #sequence: number;
  #lsn: number;
  #gathering: Group | undefined;
  readonly #closed: Group[] = [];
  #inFlight: Group | undefined;
  /** Segments rotated out of which groups are still to be written. */
  readonly #rotatedOut = new Map<number, OpenSegment>();
  #isScheduled = false;
  #isBroken = false;
  readonly #spareBuffers: Uint8Array[] = [];

  constructor(parts: LogParts) {
    this.#parts = parts;
    this.#current = parts.start.open;
    this.#position = segmentHeaderBytes;
    this.#sequence = parts.start.sequence;
    this.#lsn = parts.start.lsn;
    this.#allocator = new SegmentAllocator({
      disk: parts.disk,
      clock: parts.clock,
      segmentBytes: parts.segmentBytes,
      onProgress: () => parts.onRoom(),
      onFailure: (failure) => this.#allocationFailed(failure),
    });
  }

  get segment(): number {
    return this.#current.segment;
  }

  /** Where the next entry goes, roughly: everything before it was appended. */
  get end(): { readonly segment: number; readonly offset: number } {
    return { segment: this.#current.segment, offset: this.#gathering?.end ?? this.#position };
  }

  /** The sequence number of the next group. */
  get sequence(): number {
    return this.#sequence;
  }

  get lsn(): number {
    return this.#lsn;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  get isIdle(): boolean {
    return this.#inFlight === undefined && this.#closed.length === 0 && !this.#gathering;
  }

  /** Asks for room for an entry of `bodyBytes`, and has it made if there is none. */
  admit(bodyBytes: number): Admission {
    const needed = groupHeaderBytes + entryHeaderBytes + bodyBytes;
    const end = this.#gathering?.end ?? this.#position;
    const fits = end + needed <= this.#parts.segmentBytes || end <= segmentHeaderBytes;
    const open = fits ? this.#current : this.#next;
    const from = fits ? end : this.#startOf(this.#next);
    if (open !== undefined && from + needed <= open.allocated) return "room";
    if (this.#isFull) return "full";
    if (open === undefined) this.#prepareNext();
    else this.#allocator.keepAhead(open, from, needed);
    return "wait";
  }

  /** Appends an entry for which {@link admit} found room in this turn. */
  append(kind: EntryKind, body: Uint8Array): Appended {
    const needed = entryHeaderBytes + body.length;
    const end = this.#gathering?.end ?? this.#position;
    const isFresh = end <= segmentHeaderBytes;
    if (end + groupHeaderBytes + needed > this.#parts.segmentBytes && !isFresh) this.#rotate();
    const group = this.#openGroup();
    const lsn = this.#lsn;
    this.#lsn += 1;
    const offset = group.append(kind, lsn, body);
    invariant(group.end <= this.#current.allocated, "an entry is written where room was made");
    this.counters.entriesAppended += 1;
    this.#schedule();
    return { segment: group.segment, offset, length: needed, lsn, group };
  }

  /** Calls `waiter` when all that was appended so far is durable. */
  whenDurable(waiter: GroupWaiter): void {
    const last = this.#gathering ?? this.#closed.at(-1) ?? this.#inFlight;
    if (last !== undefined) last.waiters.push(waiter);
    else this.#parts.clock.afterTurn(() => waiter(!this.#isBroken));
  }

  /** The disk has space again: allocation is tried anew. */
  retryAllocation(): void {
    this.#isFull = false;
    this.#keepAhead();
    this.#parts.onRoom();
  }

  #openGroup(): Group {
    if (this.#gathering === undefined) {
      const buffer = this.#spareBuffers.pop() ?? new Uint8Array(64 * 1024);
      this.#gathering = new Group(this.#current.segment, this.#position, buffer);
    }
    return this.#gathering;
  }

  /** Goes on in the next segment; what has gathered goes out as a group of the old one. */
  #rotate(): void {
    const next = this.#next;
    invariant(next !== undefined, "a segment is rotated when the next one is ready");
    if (this.#gathering !== undefined) this.#closeGathering(this.#gathering);
    this.#rotatedOut.set(this.#current.segment, this.#current);
    this.#parts.onRotated(this.#current, this.#position);
    this.#current = next;
    this.#next = undefined;
    this.#position = segmentHeaderBytes;
    for (const { kind, body } of this.#parts.preamble()) {
      this.#openGroup().append(kind, this.#lsn, body);
      this.#lsn += 1;
    }
  }

  #startOf(open: OpenSegment | undefined): number {
    if (open === undefined) return 0;
    let bytes = segmentHeaderBytes;
    for (const { body } of this.#parts.preamble()) bytes += entryHeaderBytes + body.length;
    return bytes;
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
    const bytes = group.finish(this.#sequence);
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
  }

  #openSegmentOf(group: Group): OpenSegment {
    if (group.segment === this.#current.segment) return this.#current;
    const open = this.#rotatedOut.get(group.segment);
    invariant(open !== undefined, "a group's segment is open until it is written");
    return open;
  }

  #finish(group: Group): void {
    this.#inFlight = undefined;
    this.counters.groups += 1;
    this.#parts.onDurable(group);
    for (const waiter of group.waiters) waiter(true);
    if (group.buffer.length <= 4 * 1024 * 1024 && this.#spareBuffers.length < 4) {
      this.#spareBuffers.push(group.buffer);
    }
    for (const segment of this.#rotatedOut.keys()) {
      if (!this.#closed.some((closed) => closed.segment === segment)) {
        this.#rotatedOut.delete(segment);
      }
    }
    if (this.#closed.length > 0 || this.#gathering !== undefined) this.#flush();
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
  }

  #keepAhead(): void {
    if (this.#isFull) return;
    this.#allocator.keepAhead(this.#current, this.#position);
    if (this.#next !== undefined) this.#allocator.keepAhead(this.#next, segmentHeaderBytes);
    if (this.#position > this.#parts.segmentBytes / 2 && this.#next === undefined) {
      this.#prepareNext();
    }
  }

  #prepareNext(): void {
    if (this.#isPreparing || this.#isFull) return;
    this.#isPreparing = true;
    const { disk, partitions } = this.#parts;
    const segment = this.#parts.nextSegmentNumber();
    void createSegment(disk, segment, partitions).then((created) => {
      this.#isPreparing = false;
      if (!created.ok) return this.#allocationFailed(created);
      this.#next = created.value;
      this.#parts.onOpened(created.value);
      this.#keepAhead();
      this.#parts.onRoom();
    });
  }

  #allocationFailed(failure: DiskOutcome & { readonly ok: false }): void {
    if (failure.error !== "full") return this.#break(`the log cannot grow: ${failure.message}`);
    this.#isFull = true;
    this.#parts.onRoom();
  }
}
