import { Slab } from "./slab.ts";
import { writeHex } from "./text.ts";

/** A larger buffer is not kept when its writer is used again. */
const keptBytesMax = 64 * 1024;
/** What {@link ByteWriter.finish} returns comes from here. */
const slab: Slab = new Slab();

/** Appends integers and bytes to a growing buffer. Integers are little-endian. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  /** @param capacity first size in bytes; the buffer doubles when it is full. */
  constructor(capacity: number = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Forgets what was written, to write something else into the same memory. */
  reset(): void {
    this.#length = 0;
    if (this.#bytes.length > keptBytesMax) this.#bytes = new Uint8Array(keptBytesMax);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.setU32(this.#length, value);
    this.#length += 4;
  }

  /** 48 bits: enough for wall-clock milliseconds and counters. */
  u48(value: number): void {
    this.u32(value % 0x1_0000_0000);
    const high = Math.floor(value / 0x1_0000_0000);
    this.u8(high & 0xff);
    this.u8(high >>> 8);
  }

  /** LEB128, for integers from 0 to 2^53 − 1. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.u8((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.u8(rest);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** A varint length, then the bytes. */
  lengthPrefixed(value: Uint8Array): void {
    this.varint(value.length);
    this.bytes(value);
  }

  /** Bytes of a text known to be ASCII, without a length. */
  ascii(text: string): void {
    this.#reserve(text.length);
    for (let index = 0; index < text.length; index += 1) {
      this.#bytes[this.#length + index] = text.charCodeAt(index);
    }
    this.#length += text.length;
  }

  /** Bytes of a hex text, two digits to a byte. */
  hex(text: string): void {
    const bytes = text.length / 2;
    this.#reserve(bytes);
    writeHex(text, this.#bytes, this.#length);
    this.#length += bytes;
  }

  /** Overwrites the four bytes at `at`: for a length known only once its content is written. */
  setU32(at: number, value: number): void {
    this.#bytes[at] = value;
    this.#bytes[at + 1] = value >>> 8;
    this.#bytes[at + 2] = value >>> 16;
    this.#bytes[at + 3] = value >>> 24;
  }

  /** A view of what was written from `start` on: gone stale with the next write. */
  view(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#length);
  }

  /** A copy of the bytes written so far, which nobody else writes to. */
  finish(): Uint8Array {
    const copy = slab.take(this.#length);
    copy.set(this.view(0));
    return copy;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
