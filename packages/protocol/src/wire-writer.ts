import { Slab, utf8, writeHex } from "@coterie/core";

/** Slabs up to this size are reused; a larger one belongs to its message. */
const slabBytesMax = 128 * 1024;
const slabBytesFirst = 4 * 1024;
/** What {@link WireWriter.take} copies a message to. */
const messages: Slab = new Slab();

/**
 * Writes protobuf wire format into a slab that is reused from message to message. Tags are passed
 * as the byte they are: field number × 8 + wire type, for fields 1 to 15; only a nested message may
 * have a higher one. As generated code does, fields without explicit presence are left out when
 * they hold their default.
 */
export class WireWriter {
  #bytes: Uint8Array = new Uint8Array(slabBytesFirst);
  #view: DataView = new DataView(this.#bytes.buffer);
  #at = 0;

  get length(): number {
    return this.#at;
  }

  /** What was written, in memory of its own; the writer is then empty. */
  take(): Uint8Array {
    const { length } = this;
    this.#at = 0;
    const written = this.#bytes.subarray(0, length);
    if (this.#bytes.length > slabBytesMax) {
      this.#replace(new Uint8Array(slabBytesFirst));
      return written;
    }
    const message = messages.take(length);
    message.set(written);
    return message;
  }

  /** Forgets what was written after `length`. */
  truncate(length: number): void {
    this.#at = length;
  }

  /** Wire type 5. Always written: for fields with presence. */
  fixed32(tag: number, value: number): void {
    this.#reserve(5);
    this.#bytes[this.#at] = tag;
    this.#view.setUint32(this.#at + 1, value, true);
    this.#at += 5;
  }

  /** Wire type 5, left out when zero. */
  fixed32OrDefault(tag: number, value: number): void {
    if (value !== 0) this.fixed32(tag, value);
  }

  /** Wire type 1. Always written. */
  double(tag: number, value: number): void {
    this.#reserve(9);
    this.#bytes[this.#at] = tag;
    this.#view.setFloat64(this.#at + 1, value, true);
    this.#at += 9;
  }

  /** Wire type 1, left out when zero. */
  doubleOrDefault(tag: number, value: number): void {
    if (value !== 0) this.double(tag, value);
  }

  /** Wire type 1, left out when `undefined`: for fields with presence. */
  doubleIfSet(tag: number, value: number | undefined): void {
    if (value !== undefined) this.double(tag, value);
  }

  /** Sets the value of a double whose tag is at `at`. */
  overwriteDouble(at: number, value: number): void {
    this.#view.setFloat64(at + 1, value, true);
  }

  /** Wire type 0, left out when zero. */
  uint(tag: number, value: number): void {
    if (value !== 0) this.uintIfSet(tag, value);
  }

  /** Wire type 0, left out when `undefined`: for fields with presence. */
  uintIfSet(tag: number, value: number | undefined): void {
    if (value === undefined) return;
    this.#reserve(6);
    this.#bytes[this.#at] = tag;
    this.#at += 1;
    this.#varint(value);
  }

  /** Varints one after the other, wire type 2; left out when there are none. */
  packedUints(tag: number, values: readonly number[]): void {
    if (values.length === 0) return;
    const start = this.open(tag, values.length);
    this.#reserve(values.length * 5);
    for (const value of values) this.#varint(value);
    this.close(start, values.length);
  }

  /** Four bytes each, one after the other, wire type 2; left out when there are none. */
  packedFixed32(tag: number, values: readonly number[]): void {
    if (values.length === 0) return;
    const start = this.open(tag, values.length * 4);
    this.#reserve(values.length * 4);
    for (const value of values) {
      this.#view.setUint32(this.#at, value, true);
      this.#at += 4;
    }
    this.close(start, values.length * 4);
  }

  /** Wire type 0, left out when false. */
  bool(tag: number, value: boolean): void {
    this.uint(tag, value ? 1 : 0);
  }

  /** Wire type 0, left out when `undefined`: for fields with presence. */
  boolIfSet(tag: number, value: boolean | undefined): void {
    if (value !== undefined) this.uintIfSet(tag, value ? 1 : 0);
  }

  /** Wire type 2. Always written: for fields with presence, and elements of repeated ones. */
  bytes(tag: number, value: Uint8Array): void {
    this.#reserve(6 + value.length);
    this.#bytes[this.#at] = tag;
    this.#at += 1;
    this.#varint(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** Wire type 2, left out when empty. */
  bytesOrDefault(tag: number, value: Uint8Array): void {
    if (value.length > 0) this.bytes(tag, value);
  }

  /** Text as UTF-8, wire type 2. Always written. */
  text(tag: number, value: string): void {
    // Names, types and contexts are ASCII, and short: their length is known before they are copied.
    if (!isAscii(value)) {
      this.bytes(tag, utf8(value));
      return;
    }
    this.#reserve(6 + value.length);
    this.#bytes[this.#at] = tag;
    this.#at += 1;
    this.#varint(value.length);
    for (let index = 0; index < value.length; index += 1) {
      this.#bytes[this.#at + index] = value.charCodeAt(index);
    }
    this.#at += value.length;
  }

  /** Text, left out when empty. */
  textOrDefault(tag: number, value: string): void {
    if (value !== "") this.text(tag, value);
  }

  /** The bytes of hex `text`, wire type 2. Always written. */
  hex(tag: number, text: string): void {
    const length = text.length / 2;
    this.#reserve(6 + length);
    this.#bytes[this.#at] = tag;
    this.#at += 1;
    this.#varint(length);
    writeHex(text, this.#bytes, this.#at);
    this.#at += length;
  }

  /**
   * Begins a nested message of about `lengthHint` bytes; returns what {@link close} needs. Only
   * the size of the length's varint is guessed: a wrong hint costs moving the content, no more.
   */
  open(tag: number, lengthHint: number): number {
    this.#reserve(7);
    this.#varint(tag);
    const start = this.#at + varintLength(lengthHint);
    this.#at = start;
    return start;
  }

  /** Ends the nested message that began at `start` with `lengthHint`. */
  close(start: number, lengthHint: number): void {
    const length = this.#at - start;
    const reserved = varintLength(lengthHint);
    const needed = varintLength(length);
    if (needed !== reserved) {
      this.#reserve(4);
      this.#bytes.copyWithin(start + needed - reserved, start, this.#at);
    }
    this.#at = start - reserved;
    this.#varint(length);
    this.#at += length;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#at] = (rest & 0x7f) | 0x80;
      this.#at += 1;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at] = rest;
    this.#at += 1;
  }

  #reserve(more: number): void {
    const needed = this.#at + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#replace(grown);
  }

  #replace(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) >= 0x80) return false;
  }
  return true;
}

function varintLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}
