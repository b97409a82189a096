import {
  entryHeaderBytes,
  groupHeaderBytes,
  type EntryKind,
  writeEntry,
  writeGroupHeader,
} from "./format.ts";
import type { StoredRecord } from "../store.ts";

/** Told once when its group is durable. After a failed write or sync nobody is told anything. */
export interface GroupWaiter {
  becameDurable(): void;
}

/** What is written and synced at once. It knows its place in the log from its first entry on. */
export class Group {
  readonly segment: number;
  readonly offset: number;
  readonly waiters: GroupWaiter[] = [];
  /** Places of its records, and the records. */
  readonly places: number[] = [];
  readonly records: StoredRecord[] = [];
  /** Lanes of the tokens that it removes. */
  removed: Set<number> | undefined;
  #bytes: Uint8Array;
  #length = groupHeaderBytes;
  #firstLsn = 0;

  /** @param buffer reused from an earlier group, or fresh. */
  constructor(segment: number, offset: number, buffer: Uint8Array) {
    this.segment = segment;
    this.offset = offset;
    this.#bytes = buffer;
  }

  /** Bytes so far, header included. */
  get length(): number {
    return this.#length;
  }

  get end(): number {
    return this.offset + this.#length;
  }

  get buffer(): Uint8Array {
    return this.#bytes;
  }

  /** Appends an entry; returns its offset in the segment. */
  append(kind: EntryKind, lsn: number, body: Uint8Array): number {
    const length = entryHeaderBytes + body.length;
    const at = this.#length;
    if (at === groupHeaderBytes) this.#firstLsn = lsn;
    if (at + length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(at + length, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    writeEntry(this.#bytes, at, { kind, lsn, body });
    this.#length += length;
    return this.offset + at;
  }

  /** The bytes to write, header filled in. */
  finish(sequence: number, salt: Uint8Array): Uint8Array {
    const length = this.#length - groupHeaderBytes;
    writeGroupHeader(this.#bytes, 0, { length, sequence, firstLsn: this.#firstLsn, salt });
    return this.#bytes.subarray(0, this.#length);
  }
}
