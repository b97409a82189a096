import { internedHexOfEight, internedLatin1 } from "./interned.ts";
import { hex } from "./text.ts";

/**
 * Reads what {@link ByteWriter} wrote, from input that may be damaged or hostile. Reading past the
 * end, or a malformed integer, sets {@link failed} and yields zeros from then on: a codec reads its
 * whole format and checks once at the end, and no length is trusted before it was compared with
 * what is left.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  #failed = false;

  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get failed(): boolean {
    return this.#failed;
  }

  get position(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  /** Marks the input as malformed: for what only the codec can know. */
  fail(): void {
    this.#failed = true;
    this.#at = this.#end;
  }

  u8(): number {
    if (!this.#has(1)) return 0;
    const value = this.#bytes[this.#at] as number;
    this.#at += 1;
    return value;
  }

  u32(): number {
    if (!this.#has(4)) return 0;
    const at = this.#at;
    this.#at += 4;
    const low = (this.#bytes[at] as number) | ((this.#bytes[at + 1] as number) << 8);
    const high = (this.#bytes[at + 2] as number) | ((this.#bytes[at + 3] as number) << 8);
    return (low | (high << 16)) >>> 0;
  }

  u48(): number {
    const low = this.u32();
    return low + (this.u8() + this.u8() * 0x100) * 0x1_0000_0000;
  }

  /** LEB128 up to 2^53 − 1; longer than needed or too large is malformed. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let index = 0; index < 8; index += 1) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if ((index > 0 && byte === 0) || value > Number.MAX_SAFE_INTEGER) this.fail();
        return this.#failed ? 0 : value;
      }
      scale *= 0x80;
    }
    this.fail();
    return 0;
  }

  /** A view of the next `length` bytes: copy what you keep. */
  view(length: number): Uint8Array {
    if (!this.#has(length)) return this.#bytes.subarray(0, 0);
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  /** Passes over the next `length` bytes. */
  skip(length: number): void {
    if (this.#has(length)) this.#at += length;
  }

  /** A view of a length-prefixed byte string. */
  lengthPrefixed(): Uint8Array {
    return this.view(this.varint());
  }

  /** The next `length` bytes as lower-case hex. */
  hex(length: number): string {
    if (!this.#has(length)) return "";
    this.#at += length;
    return hex(this.#bytes, this.#at - length, this.#at);
  }

  /** The next eight bytes as lower-case hex: of something that is named often. */
  internedHexOfEight(): string {
    if (!this.#has(8)) return "";
    this.#at += 8;
    return internedHexOfEight(this.#bytes, this.#at - 8);
  }

  /** The next `length` bytes, one character each: of something that is named often. */
  internedLatin1(length: number): string {
    if (!this.#has(length)) return "";
    this.#at += length;
    return internedLatin1(this.#bytes, this.#at - length, this.#at);
  }

  #has(length: number): boolean {
    if (length <= this.#end - this.#at) return true;
    this.fail();
    return false;
  }
}
