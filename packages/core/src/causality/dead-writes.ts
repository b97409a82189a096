import type { ByteReader } from "../bytes/reader.ts";
import { compareBytes } from "../bytes/compare.ts";
import { hex, hexByte, writeHex } from "../bytes/text.ts";
import { Slab } from "../bytes/slab.ts";
import type { ByteWriter } from "../bytes/writer.ts";
import type { WriteId } from "../ids.ts";
import { limits } from "../limits.ts";

/**
 * The id of a write whose sibling was overwritten or deleted, or has expired. It is timed by when
 * it was *written*: a client stops retrying one minute after that, so older ids need not be
 * remembered.
 */
export interface DeadWrite {
  readonly writeId: WriteId;
  readonly writtenAtMs: number;
  /**
   * Overwritten in an `lww` bucket by a put whose client had not read it. Such a write is not dead
   * yet: what a retry of it made elsewhere stays, until somebody who has read its successor
   * overwrites or deletes that.
   */
  readonly isUnread?: true;
}

const idBytes = 16;
/** The lowest byte first. */
const timeBytes = 6;
const entryBytes = idBytes + timeBytes;

/**
 * Dead writes, each id once, sorted by their ids: as the bytes that a record has of them. A key
 * that is overwritten all the time has 64 of them, and each put of it reads, joins and writes them
 * several times on every replica. Immutable; may be a view of the record it was read from.
 */
export class DeadWrites {
  static readonly none: DeadWrites = new DeadWrites(new Uint8Array(0), new Uint8Array(0));

  /** The entries, {@link entryBytes} each. */
  readonly entries: Uint8Array;
  /** Which of them are unread: a bit each, the lowest first. */
  readonly marks: Uint8Array;
  #words: DataView | undefined;

  /** @param marks A bit for each entry. */
  constructor(entries: Uint8Array, marks: Uint8Array) {
    this.entries = entries;
    this.marks = marks;
  }

  /** In any order; of several with one id, what they come to together. */
  static of(writes: readonly DeadWrite[]): DeadWrites {
    let all = DeadWrites.none;
    for (const { writeId, writtenAtMs, isUnread } of writes) {
      const entry = new Uint8Array(entryBytes);
      writeHex(writeId, entry, 0);
      writeTime(entry, 0, writtenAtMs);
      all = union(all, new DeadWrites(entry, isUnread === true ? marked : unmarked));
    }
    return all;
  }

  /** Those of a record: their marks stand behind them. */
  static read(reader: ByteReader): DeadWrites {
    const entries = readEntries(reader);
    const size = entries.length / entryBytes;
    const marks = reader.view(marksBytes(size));
    const used = size % 8;
    if (used > 0 && (marks.at(-1) ?? 0) >> used !== 0) reader.fail();
    return checked(reader, entries, marks);
  }

  /** Those of a context: whoever has it has read them all. */
  static readUnmarked(reader: ByteReader): DeadWrites {
    const entries = readEntries(reader);
    return checked(reader, entries, new Uint8Array(marksBytes(entries.length / entryBytes)));
  }

  get size(): number {
    return this.entries.length / entryBytes;
  }

  /** The entries, for whoever compares many: four bytes at once. */
  get words(): DataView {
    this.#words ??= wordsOf(this.entries);
    return this.#words;
  }

  write(writer: ByteWriter): void {
    this.writeUnmarked(writer);
    writer.bytes(this.marks);
  }

  writeUnmarked(writer: ByteWriter): void {
    writer.varint(this.size);
    writer.bytes(this.entries);
  }

  /** Sorted by id. */
  toArray(): readonly DeadWrite[] {
    return Array.from({ length: this.size }, (_, at) => this.at(at));
  }

  at(index: number): DeadWrite {
    const from = index * entryBytes;
    const writeId = hex(this.entries, from, from + idBytes) as WriteId;
    const writtenAtMs = timeOf(this.words, index);
    return isMarked(this.marks, index)
      ? { writeId, writtenAtMs, isUnread: true }
      : { writeId, writtenAtMs };
  }

  /** When the newest of them was written; 0 if there is none. */
  newestMs(): number {
    let newest = 0;
    for (let at = 0; at < this.size; at += 1) newest = Math.max(newest, timeOf(this.words, at));
    return newest;
  }

  /** True if this id is among them, unread or dead: a retry of that write changes nothing. */
  isRemembered(writeId: WriteId): boolean {
    return this.#find(writeId) >= 0;
  }

  /** True if this id is among the dead: no copy of that write may live on. */
  isDead(writeId: WriteId | undefined): boolean {
    if (writeId === undefined || this.entries.length === 0) return false;
    const found = this.#find(writeId);
    return found >= 0 && !isMarked(this.marks, found);
  }

  /** The same ids, all of them read. */
  allRead(): DeadWrites {
    if (!hasMarks(this.marks)) return this;
    return new DeadWrites(this.entries, new Uint8Array(this.marks.length));
  }

  /** As many as asked for, the newest: of one time, those with lesser ids. */
  newest(count: number): DeadWrites {
    if (this.size <= count) return this;
    const made = merged.begin(this.size);
    made.take(this, 0, this.size);
    made.keepNewest(count);
    return made.finish();
  }

  /** Where the id is; −1 if it is not there. */
  #find(writeId: WriteId): number {
    let from = 0;
    for (let to = this.size; from < to;) {
      const middle = (from + to) >> 1;
      const order = compareWithHex(this.entries, middle, writeId);
      if (order === 0) return middle;
      if (order < 0) from = middle + 1;
      else to = middle;
    }
    return -1;
  }
}

/**
 * The write ids that a record remembers as dead form a bounded join-semilattice: of a union, the
 * entries within `deadWriteMsMax` of the newest, at most `deadWritesMax` of them, newest first. The
 * window is measured against the newest *entry*, not against a clock: so that joining is
 * commutative, associative and idempotent, and two replicas that saw the same writes agree.
 * Returns `left` itself when the others add nothing to it.
 */
export function joinDeadWrites(
  left: DeadWrites,
  right: DeadWrites,
  more: DeadWrites = DeadWrites.none,
): DeadWrites {
  const others = union(right, more);
  if (left.size === 0) return bounded(others);
  const all = merge(left, others);
  if (all === undefined) return left;
  const isCut = all.bound();
  const joined = all.finish();
  return isCut && isSame(joined, left) ? left : joined;
}

/** All of both; `left` itself when `right` adds nothing to it. */
function union(left: DeadWrites, right: DeadWrites): DeadWrites {
  return left.size === 0 ? right : (merge(left, right)?.finish() ?? left);
}

/** Begins a list of all of both; none when `right` adds nothing to `left`. */
function merge(left: DeadWrites, right: DeadWrites): Merged | undefined {
  if (left === right) return undefined;
  let made: Merged | undefined;
  let taken = 0;
  let at = 0;
  for (let next = 0; next < right.size; next += 1) {
    let order = 1;
    for (; at < left.size; at += 1) {
      order = compareIds(left.words, at, right.words, next);
      if (order >= 0) break;
    }
    const isKnown = order === 0 && at < left.size;
    if (isKnown && addsNothing(right, next, left, at)) {
      at += 1;
      continue;
    }
    made ??= merged.begin(left.size + right.size);
    made.take(left, taken, at);
    made.take(right, next, next + 1);
    if (isKnown) {
      made.joinLast(left, at);
      at += 1;
    }
    taken = at;
  }
  made?.take(left, taken, left.size);
  return made;
}

/** The later of two times, and dead if either is: true if `left` is that already. */
function addsNothing(right: DeadWrites, next: number, left: DeadWrites, at: number): boolean {
  if (timeOf(right.words, next) > timeOf(left.words, at)) return false;
  return !isMarked(left.marks, at) || isMarked(right.marks, next);
}

function bounded(list: DeadWrites): DeadWrites {
  if (list.size < 2) return list;
  const made = merged.begin(list.size);
  made.take(list, 0, list.size);
  return made.bound() ? made.finish() : list;
}

function isSame(left: DeadWrites, right: DeadWrites): boolean {
  return (
    left.size === right.size &&
    compareBytes(left.entries, right.entries) === 0 &&
    compareBytes(left.marks, right.marks) === 0
  );
}

/** Those of `before` that are not in `after`. */
export function deadWritesOnlyIn(before: DeadWrites, after: DeadWrites): readonly DeadWrite[] {
  const only: DeadWrite[] = [];
  let at = 0;
  for (let next = 0; next < before.size; next += 1) {
    let order = 1;
    for (; at < after.size; at += 1) {
      order = compareIds(after.words, at, before.words, next);
      if (order >= 0) break;
    }
    if (order !== 0 || at === after.size) only.push(before.at(next));
  }
  return only;
}

/** A list in the making: one at a time, copied when it is finished. */
class Merged {
  #entries: Uint8Array = new Uint8Array(4 * limits.deadWritesMax * entryBytes);
  #words: DataView = wordsOf(this.#entries);
  #marks: Uint8Array = new Uint8Array(marksBytes(4 * limits.deadWritesMax));
  #size = 0;

  begin(sizeMax: number): this {
    this.#size = 0;
    if (sizeMax * entryBytes > this.#entries.length) {
      this.#entries = new Uint8Array(sizeMax * entryBytes);
      this.#words = wordsOf(this.#entries);
      this.#marks = new Uint8Array(marksBytes(sizeMax));
    } else this.#marks.fill(0);
    return this;
  }

  /** Appends the entries at `[start, end)`. */
  take(from: DeadWrites, start: number, end: number): void {
    if (start === end) return;
    const bytes = from.entries.subarray(start * entryBytes, end * entryBytes);
    this.#entries.set(bytes, this.#size * entryBytes);
    if (hasMarks(from.marks)) {
      for (let at = start; at < end; at += 1) {
        this.#mark(this.#size + at - start, isMarked(from.marks, at));
      }
    }
    this.#size += end - start;
  }

  /** The last entry becomes what it and this one come to. */
  joinLast(other: DeadWrites, at: number): void {
    const last = this.#size - 1;
    const ms = Math.max(timeOf(this.#words, last), timeOf(other.words, at));
    writeTime(this.#entries, last, ms);
    this.#mark(last, isMarked(this.#marks, last) && isMarked(other.marks, at));
  }

  /** Drops what a record does not remember; true if there was such an entry. */
  bound(): boolean {
    const before = this.#size;
    let newestMs = 0;
    for (let at = 0; at < this.#size; at += 1) {
      newestMs = Math.max(newestMs, timeOf(this.#words, at));
    }
    const oldestMs = newestMs - limits.deadWriteMsMax;
    for (let at = this.#size - 1; at >= 0; at -= 1) {
      if (timeOf(this.#words, at) <= oldestMs) this.#drop(at);
    }
    this.keepNewest(limits.deadWritesMax);
    return this.#size < before;
  }

  keepNewest(count: number): void {
    while (this.#size > count) this.#drop(this.#oldest());
  }

  finish(): DeadWrites {
    const entries = slab.copy(this.#entries.subarray(0, this.#size * entryBytes));
    return new DeadWrites(entries, this.#marks.slice(0, marksBytes(this.#size)));
  }

  /** Of one time the last one is the first to go. */
  #oldest(): number {
    let found = 0;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (let at = 0; at < this.#size; at += 1) {
      const ms = timeOf(this.#words, at);
      if (ms > oldestMs) continue;
      found = at;
      oldestMs = ms;
    }
    return found;
  }

  #drop(index: number): void {
    const from = (index + 1) * entryBytes;
    this.#entries.copyWithin(index * entryBytes, from, this.#size * entryBytes);
    this.#size -= 1;
    if (!hasMarks(this.#marks)) return;
    for (let at = index; at < this.#size; at += 1) this.#mark(at, isMarked(this.#marks, at + 1));
    this.#mark(this.#size, false);
  }

  #mark(index: number, isUnread: boolean): void {
    const at = index >> 3;
    const bit = 1 << (index & 7);
    const marks = this.#marks[at] as number;
    this.#marks[at] = isUnread ? marks | bit : marks & ~bit;
  }
}

const merged: Merged = new Merged();
/** The marks of one write. */
const unmarked: Uint8Array = new Uint8Array(1);
const marked: Uint8Array = Uint8Array.of(1);
const slab: Slab = new Slab();

function readEntries(reader: ByteReader): Uint8Array {
  const count = reader.varint();
  if (count > limits.deadWritesMax) reader.fail();
  return reader.view(reader.failed ? 0 : count * entryBytes);
}

/** None of what is not in the order of ids. */
function checked(reader: ByteReader, entries: Uint8Array, marks: Uint8Array): DeadWrites {
  if (reader.failed || entries.length === 0) return DeadWrites.none;
  const read = new DeadWrites(entries, marks);
  const { words, size } = read;
  for (let at = 1; at < size; at += 1) {
    if (compareIds(words, at - 1, words, at) >= 0) reader.fail();
  }
  return reader.failed ? DeadWrites.none : read;
}

function hasMarks(marks: Uint8Array): boolean {
  for (let at = 0; at < marks.length; at += 1) if (marks[at] !== 0) return true;
  return false;
}

function marksBytes(count: number): number {
  return (count + 7) >> 3;
}

function isMarked(marks: Uint8Array, at: number): boolean {
  return (((marks[at >> 3] as number) >> (at & 7)) & 1) === 1;
}

function wordsOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function timeOf(words: DataView, index: number): number {
  const at = index * entryBytes + idBytes;
  return words.getUint32(at, true) + words.getUint16(at + 4, true) * 0x1_0000_0000;
}

function writeTime(entries: Uint8Array, index: number, ms: number): void {
  const end = (index + 1) * entryBytes;
  let rest = ms;
  for (let at = end - timeBytes; at < end; at += 1) {
    entries[at] = rest % 0x100;
    rest = Math.floor(rest / 0x100);
  }
}

/** Ids are ordered as their bytes are, or their hex texts. */
function compareIds(left: DataView, at: number, right: DataView, to: number): number {
  const place = at * entryBytes;
  const other = to * entryBytes;
  for (let byte = 0; byte < idBytes; byte += 4) {
    const order = left.getUint32(place + byte) - right.getUint32(other + byte);
    if (order !== 0) return order;
  }
  return 0;
}

function compareWithHex(entries: Uint8Array, at: number, text: string): number {
  const place = at * entryBytes;
  for (let byte = 0; byte < idBytes; byte += 1) {
    const order = (entries[place + byte] as number) - hexByte(text, byte * 2);
    if (order !== 0) return order;
  }
  return 0;
}
