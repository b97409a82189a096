import { type CausalRecord, Slab, decodeOwnRecord } from "@coterie/core";
import { PlaceTable } from "./place-table.ts";
import type { StoredRecord } from "./store.ts";

/** What {@link RecordCache.get} returns comes from here. */
const slab: Slab = new Slab();
/** Of an entry: its place as a double, and how many bytes follow. */
const headerBytes = 12;
/** An entry may take this share of the ring, so that one does not drive out all others. */
const entryShareMax = 8;
/** In place of a place: the rest of the ring is skipped, as the next entry did not fit in it. */
const skipped = -1;

/**
 * Recently written or read records, by their place in the log; a place never changes its content.
 * Their bytes are copied into one ring: nothing for the garbage collector to move, mark or sweep,
 * where a cache of objects had each put promote some twenty. The oldest gives way; one that is read
 * when it has become old is entered anew (second chance, an approximation of LRU).
 */
export class RecordCache {
  readonly #ring: Uint8Array;
  readonly #view: DataView;
  /** Place → position. */
  readonly #table = new PlaceTable();
  /** Positions count all bytes ever written; modulo the ring they are offsets in it. */
  #head = 0;
  #tail = 0;

  /** @param bytesMax memory for it, taken as it fills; 0 for none. */
  constructor(bytesMax: number) {
    this.#ring = new Uint8Array(bytesMax);
    this.#view = new DataView(this.#ring.buffer);
  }

  /** The record, in memory of its own, decoded when it is first looked into. */
  get(place: number): StoredRecord | undefined {
    const position = this.#table.get(place);
    if (position === undefined) return undefined;
    const at = position % this.#ring.length;
    const start = at + headerBytes;
    const bytes = slab.copy(this.#ring.subarray(start, start + this.#view.getUint32(at + 8)));
    if (this.#head - position > this.#ring.length / 2) this.set(place, bytes);
    return new EncodedRecord(bytes);
  }

  /** Keeps a copy of a record's bytes, which were checked. */
  set(place: number, bytes: Uint8Array): void {
    const needed = headerBytes + bytes.length;
    const { length } = this.#ring;
    if (needed * entryShareMax > length) return;
    const left = length - (this.#head % length);
    if (left < needed) this.#skip(left);
    this.#makeRoom(needed);
    const at = this.#head % length;
    this.#view.setFloat64(at, place);
    this.#view.setUint32(at + 8, bytes.length);
    this.#ring.set(bytes, at + headerBytes);
    this.#table.set(place, this.#head);
    this.#head += needed;
  }

  /** Goes on at the beginning of the ring. */
  #skip(left: number): void {
    this.#makeRoom(left);
    if (left >= headerBytes) this.#view.setFloat64(this.#head % this.#ring.length, skipped);
    this.#head += left;
  }

  #makeRoom(needed: number): void {
    const { length } = this.#ring;
    while (this.#head + needed - this.#tail > length) {
      const at = this.#tail % length;
      const place = length - at < headerBytes ? skipped : this.#view.getFloat64(at);
      if (place === skipped) {
        this.#tail += length - at;
        continue;
      }
      // Entered anew since then, it is elsewhere.
      if (this.#table.get(place) === this.#tail) this.#table.delete(place);
      this.#tail += headerBytes + this.#view.getUint32(at + 8);
    }
  }
}

/** A record of which usually only the bytes are wanted. */
export class EncodedRecord implements StoredRecord {
  readonly bytes: Uint8Array;
  #record: CausalRecord | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get record(): CausalRecord {
    this.#record ??= decodeOwnRecord(this.bytes);
    return this.#record;
  }
}
