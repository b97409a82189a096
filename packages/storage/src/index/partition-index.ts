import { type RangeDigest, type Token, classIn, invariant } from "@coterie/core";
import { ClassRoots } from "./class-roots.ts";
import type { Choice, ChoiceQuery } from "../store.ts";
import { dueEmpty, neverDue } from "./due.ts";
import type { LiveRows } from "./live-rows.ts";
import { isWideIn, lengthIn, lengthWord } from "./length-word.ts";
import type { Location, Place } from "./location.ts";

/**
 * Words per slot: token (2), segment, offset, length with a mark, digest (2), due. No length: no
 * entry.
 */
const STRIDE = 8;
const TOKEN_HIGH = 0;
const TOKEN_LOW = 1;
const SEGMENT = 2;
const OFFSET = 3;
const LENGTH = 4;
const DIGEST_HIGH = 5;
const DIGEST_LOW = 6;
const DUE = 7;

/** Entries of a partition by their tokens and classes. */
export interface TokenRange {
  readonly from: Token;
  /** `undefined`: to the partition's end. */
  readonly until: Token | undefined;
  /** Only of buckets with more copies than this. */
  readonly above: number;
}

const firstSlots = 16;
/** Slots beyond the last home slot, at first, for what linear probing pushes over the end. */
const firstSlack = 16;
/**
 * Share of slots in use above which the table grows, and by how much: at most 37 bytes per key when
 * it is full, and some 6 slots looked at on average.
 */
const loadMax = 0.875;
const growth = 1.25;
/** Slots looked at one by one, which is nearly always enough, before strides are taken. */
const stepsMax = 12;

/**
 * The index of one partition: a hash table in token order. An entry's home slot is proportional to
 * its token's position in the partition, and linear probing keeps a run sorted by shifting; so a
 * lookup is a few steps, and a walk in ring order is one pass over an array (ordered linear
 * probing; Amble and Knuth, "Ordered Hash Tables", 1974). Entries with equal tokens may coexist:
 * their records' keys tell them apart.
 */
export class PartitionIndex {
  readonly #base: number;
  readonly #span: number;
  #words: Uint32Array;
  #capacity: number;
  #slack = firstSlack;
  #count = 0;
  #empty = 0;
  #wide = 0;
  #roots: ClassRoots = new ClassRoots();
  /** Nothing here is due before it. */
  #firstDue = Infinity;

  constructor(partition: number, partitions: number) {
    this.#base = (partition * 0x1_0000_0000) / partitions;
    this.#span = 0x1_0000_0000 / partitions;
    this.#capacity = firstSlots;
    this.#words = new Uint32Array((firstSlots + firstSlack) * STRIDE);
  }

  get count(): number {
    return this.#count;
  }

  /** Entries that hold nothing that a read could show. */
  get empty(): number {
    return this.#empty;
  }

  /** Entries of records whose clocks are to be cut. */
  get wide(): number {
    return this.#wide;
  }

  get bytes(): number {
    return this.#words.byteLength;
  }

  /** Slots of the entries with exactly this token: [first, end). Valid until the next change. */
  find(token: Token): { readonly first: number; readonly end: number } {
    const first = this.#seek(token);
    let end = first;
    while (this.#isToken(end, token)) end += 1;
    return { first, end };
  }

  /** The location of the one entry with this token; `undefined` if there is none, or several. */
  findOne(token: Token): Location | undefined {
    const slot = this.#seek(token);
    if (!this.#isToken(slot, token) || this.#isToken(slot + 1, token)) return undefined;
    return this.location(slot);
  }

  /** How many entries have this token. */
  countOf(token: Token): number {
    const { first, end } = this.find(token);
    return end - first;
  }

  /** The slot of the entry with this token at exactly this place; −1 if there is none. */
  slotAt(token: Token, { segment, offset }: Place): number {
    for (let slot = this.#seek(token); this.#isToken(slot, token); slot += 1) {
      const at = slot * STRIDE;
      if (this.#words[at + SEGMENT] === segment && this.#words[at + OFFSET] === offset) return slot;
    }
    return -1;
  }

  /** Bytes of all entries with this token. */
  bytesOf(token: Token): number {
    let bytes = 0;
    for (let slot = this.#seek(token); this.#isToken(slot, token); slot += 1) {
      bytes += this.lengthAt(slot);
    }
    return bytes;
  }

  /** Bytes of the entry in this slot. */
  lengthAt(slot: number): number {
    return lengthIn(this.#words[slot * STRIDE + LENGTH] as number);
  }

  location(slot: number): Location {
    const at = slot * STRIDE;
    const words = this.#words;
    return {
      segment: words[at + SEGMENT] as number,
      offset: words[at + OFFSET] as number,
      length: lengthIn(words[at + LENGTH] as number),
      digest: { high: words[at + DIGEST_HIGH] as number, low: words[at + DIGEST_LOW] as number },
      due: words[at + DUE] as number,
      isWide: isWideIn(words[at + LENGTH] as number),
    };
  }

  token(slot: number): Token {
    const at = slot * STRIDE;
    return {
      high: this.#words[at + TOKEN_HIGH] as number,
      low: this.#words[at + TOKEN_LOW] as number,
    };
  }

  /** Points the entry in `slot` somewhere else. */
  replace(slot: number, location: Location): void {
    this.#takeFromSums(slot);
    this.#write(slot, location);
  }

  #takeFromSums(slot: number): void {
    const at = slot * STRIDE;
    const words = this.#words;
    if (words[at + DUE] === dueEmpty) this.#empty -= 1;
    if (isWideIn(words[at + LENGTH] as number)) this.#wide -= 1;
    this.#roots.remove(words[at + DIGEST_HIGH] as number, words[at + DIGEST_LOW] as number);
  }

  #write(slot: number, location: Location): void {
    this.#roots.add(location.digest.high, location.digest.low);
    const at = slot * STRIDE;
    this.#words[at + SEGMENT] = location.segment;
    this.#words[at + OFFSET] = location.offset;
    this.#words[at + LENGTH] = lengthWord(location.length, location.isWide);
    this.#words[at + DIGEST_HIGH] = location.digest.high;
    this.#words[at + DIGEST_LOW] = location.digest.low;
    this.#words[at + DUE] = location.due;
    if (location.due === dueEmpty) this.#empty += 1;
    if (location.isWide) this.#wide += 1;
    if (location.due !== neverDue) this.#firstDue = Math.min(this.#firstDue, location.due);
  }

  /** Adds an entry, beside those that may already have its token. */
  insert(token: Token, location: Location): void {
    invariant(location.length > 0, "an entry has a length");
    if (this.#count >= this.#capacity * loadMax) this.#grow();
    let slot = this.#seek(token);
    let free = slot;
    while (this.#isUsed(free)) free += 1;
    while ((free + 1) * STRIDE > this.#words.length) {
      this.#slack *= 2;
      this.#grow();
      slot = this.#seek(token);
      free = slot;
      while (this.#isUsed(free)) free += 1;
    }
    this.#words.copyWithin((slot + 1) * STRIDE, slot * STRIDE, free * STRIDE);
    this.#words[slot * STRIDE + TOKEN_HIGH] = token.high;
    this.#words[slot * STRIDE + TOKEN_LOW] = token.low;
    this.#write(slot, location);
    this.#count += 1;
  }

  /** Sums the entries up anew; false if the sums kept with them were wrong, and now are right. */
  verifyRoots(): boolean {
    const roots = new ClassRoots();
    for (const slot of this.slotsAfter(undefined)) {
      const { high, low } = this.location(slot).digest;
      roots.add(high, low);
    }
    const isRight = roots.equals(this.#roots);
    this.#roots = roots;
    return isRight;
  }

  /** Removes the entry in `slot`; what probing had pushed behind it moves back. */
  remove(slot: number): void {
    invariant(this.#isUsed(slot), "an entry that is removed is there");
    this.#takeFromSums(slot);
    let end = slot + 1;
    while (this.#isUsed(end) && this.#home(this.token(end).high, this.token(end).low) < end) {
      end += 1;
    }
    this.#words.copyWithin(slot * STRIDE, (slot + 1) * STRIDE, end * STRIDE);
    this.#words.fill(0, (end - 1) * STRIDE, end * STRIDE);
    this.#count -= 1;
  }

  /** Slots in token order, from the first after `after`, or from the first of all. */
  *slotsAfter(after: Token | undefined): Generator<number> {
    let slot = this.#firstAfter(after);
    for (const end = this.#capacity + this.#slack; slot < end; slot += 1) {
      if (this.#isUsed(slot)) yield slot;
    }
  }

  /** What all entries of the classes above `above` come to; kept, not computed. */
  root(above: number): RangeDigest {
    return this.#roots.above(above);
  }

  /** What those from `from` on and before `until` come to: one pass over their slots. */
  digest({ from, until, above }: TokenRange): RangeDigest {
    const words = this.#words;
    let high = 0;
    let low = 0;
    let count = 0;
    const end = until === undefined ? words.length : this.#seek(until) * STRIDE;
    for (let at = this.#seek(from) * STRIDE; at < end; at += STRIDE) {
      if (words[at + LENGTH] === 0) continue;
      const digestLow = words[at + DIGEST_LOW] as number;
      if (classIn(digestLow) <= above) continue;
      high ^= words[at + DIGEST_HIGH] as number;
      low ^= digestLow;
      count += 1;
    }
    return { high: high >>> 0, low: low >>> 0, count };
  }

  /**
   * Up to `limit` tokens, in order after `after`, of entries that are due by `until`. Where nothing
   * can be due it looks at nothing.
   */
  due(until: number, after: Token | undefined, limit: number): readonly Token[] {
    const tokens: Token[] = [];
    if (this.#firstDue > until) return tokens;
    let firstDue = Infinity;
    const words = this.#words;
    for (let at = this.#firstAfter(after) * STRIDE; at < words.length; at += STRIDE) {
      const due = words[at + DUE] as number;
      if (due === neverDue || due === dueEmpty) continue;
      if (due < firstDue) firstDue = due;
      if (due > until) continue;
      tokens.push(this.token(at / STRIDE));
      if (tokens.length === limit) return tokens;
    }
    if (after === undefined) this.#firstDue = firstDue;
    return tokens;
  }

  /**
   * A stretch of entries in order after `after`: the tokens of those chosen by length and deadline.
   * It ends after `entriesMax` entries or `limit` tokens, never between entries with one token.
   */
  choose(
    isChosen: (length: number, due: number) => boolean,
    { after, limit, entriesMax }: Omit<ChoiceQuery, "partition" | "like">,
  ): Choice {
    const tokens: Token[] = [];
    let entries = 0;
    let last: Token | undefined;
    let isLastChosen = false;
    const words = this.#words;
    for (let slot = this.#firstAfter(after); slot < words.length / STRIDE; slot += 1) {
      const at = slot * STRIDE;
      const length = lengthIn(words[at + LENGTH] as number);
      if (length === 0) continue;
      if (last === undefined || !this.#isToken(slot, last)) {
        if (entries >= entriesMax || tokens.length >= limit) return { tokens, last, isOver: false };
        last = this.token(slot);
        isLastChosen = false;
      }
      entries += 1;
      if (isLastChosen || !isChosen(length, words[at + DUE] as number)) continue;
      tokens.push(last);
      isLastChosen = true;
    }
    return { tokens, last, isOver: true };
  }

  /** The first slot behind those of this token; of all, if there is none. */
  #firstAfter(after: Token | undefined): number {
    if (after === undefined) return 0;
    let slot = this.#seek(after);
    while (this.#isToken(slot, after)) slot += 1;
    return slot;
  }

  /**
   * The first slot at or after the token's home that is free or holds no lesser token. So are all
   * slots behind it, since what lies behind a free slot has its home there: a long run, as keys
   * with one hash tag make it, need not be walked.
   */
  #seek(token: Token): number {
    let slot = this.#home(token.high, token.low);
    for (let step = 0; step < stepsMax; step += 1) {
      if (!this.#holdsLesser(slot, token)) return slot;
      slot += 1;
    }
    let lesser = slot - 1;
    for (let stride = 2; this.#holdsLesser(slot, token); stride *= 2) {
      lesser = slot;
      slot += stride;
    }
    while (slot - lesser > 1) {
      const middle = (lesser + slot) >>> 1;
      if (this.#holdsLesser(middle, token)) lesser = middle;
      else slot = middle;
    }
    return slot;
  }

  #holdsLesser(slot: number, token: Token): boolean {
    return this.#isUsed(slot) && this.#isBefore(slot, token);
  }

  #home(high: number, low: number): number {
    const share = (high - this.#base + low / 0x1_0000_0000) / this.#span;
    return Math.max(0, Math.min(this.#capacity - 1, Math.floor(share * this.#capacity)));
  }

  #isUsed(slot: number): boolean {
    return (this.#words[slot * STRIDE + LENGTH] ?? 0) !== 0;
  }

  #isBefore(slot: number, token: Token): boolean {
    const at = slot * STRIDE;
    const high = this.#words[at + TOKEN_HIGH] as number;
    return high < token.high || (high === token.high && this.#wordLow(at) < token.low);
  }

  #isToken(slot: number, token: Token): boolean {
    const at = slot * STRIDE;
    return (
      this.#isUsed(slot) &&
      this.#words[at + TOKEN_HIGH] === token.high &&
      this.#wordLow(at) === token.low
    );
  }

  #wordLow(at: number): number {
    return this.#words[at + TOKEN_LOW] as number;
  }

  /** Rebuilds the table with more slots; entries come in order, so each goes behind the last. */
  #grow(): void {
    const old = this.#words;
    const oldSlots = old.length / STRIDE;
    this.#capacity = Math.ceil(this.#capacity * growth);
    for (;;) {
      this.#words = new Uint32Array((this.#capacity + this.#slack) * STRIDE);
      if (this.#fillFrom(old, oldSlots)) return;
      // Many tokens near the partition's end, crafted perhaps: more slots would not spread them.
      this.#slack *= 2;
    }
  }

  #fillFrom(old: Uint32Array, oldSlots: number): boolean {
    let next = 0;
    for (let from = 0; from < oldSlots * STRIDE; from += STRIDE) {
      if (old[from + LENGTH] === 0) continue;
      const home = this.#home(old[from + TOKEN_HIGH] as number, old[from + TOKEN_LOW] as number);
      const slot = Math.max(next, home);
      if ((slot + 1) * STRIDE > this.#words.length) return false;
      copySlot(old, from, this.#words, slot * STRIDE);
      next = slot + 1;
    }
    return true;
  }

  /** Adds the entries in the wanted segments to `rows`; returns the slots it looked at. */
  collect(partition: number, isWanted: (segment: number) => boolean, rows: LiveRows): number {
    const words = this.#words;
    for (let at = 0; at < words.length; at += STRIDE) {
      if (words[at + LENGTH] === 0 || !isWanted(words[at + SEGMENT] as number)) continue;
      rows.push(partition, words, at);
    }
    return words.length / STRIDE;
  }

  countLive(count: (segment: number, length: number) => void): void {
    const words = this.#words;
    for (let at = 0; at < words.length; at += STRIDE) {
      const length = lengthIn(words[at + LENGTH] as number);
      if (length > 0) count(words[at + SEGMENT] as number, length);
    }
  }

  /** The used slots' words, in order: what a checkpoint stores. */
  export(): Uint32Array {
    const words = new Uint32Array(this.#count * STRIDE);
    let to = 0;
    for (let at = 0; at < this.#words.length; at += STRIDE) {
      if (this.#words[at + LENGTH] === 0) continue;
      copySlot(this.#words, at, words, to);
      to += STRIDE;
    }
    return words;
  }

  /** Replaces everything by what {@link export} returned. */
  import(words: Uint32Array): void {
    invariant(words.length % STRIDE === 0, "an index is a whole number of slots");
    this.#count = words.length / STRIDE;
    // Unknown until somebody looks: perhaps at once.
    this.#firstDue = this.#count > 0 ? 0 : Infinity;
    for (let at = 0; at < words.length; at += STRIDE) {
      this.#roots.add(words[at + DIGEST_HIGH] as number, words[at + DIGEST_LOW] as number);
      if (words[at + DUE] === dueEmpty) this.#empty += 1;
      if (isWideIn(words[at + LENGTH] as number)) this.#wide += 1;
    }
    this.#capacity = Math.max(firstSlots, Math.ceil((this.#count / loadMax) * 1.1));
    for (;;) {
      this.#words = new Uint32Array((this.#capacity + this.#slack) * STRIDE);
      if (this.#fillFrom(words, this.#count)) return;
      this.#slack *= 2;
    }
  }
}

/** Word by word: a view of each slot would be as many objects for the garbage collector. */
function copySlot(from: Uint32Array, at: number, to: Uint32Array, place: number): void {
  for (let word = 0; word < STRIDE; word += 1) to[place + word] = from[at + word] as number;
}
