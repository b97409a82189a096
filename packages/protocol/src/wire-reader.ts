import { type ErrorCode, decodeUtf8, hex, latin1 } from "@coterie/core";

/** Unknown fields below this one are not to be ignored. */
const skippableFieldMin = 32;

/** What a message is refused for, in the words of the door that reads it. */
export interface FieldProblem {
  readonly code: ErrorCode;
  readonly message: string;
}

/** The longest byte string or text that a field may hold, and what is wrong with a longer one. */
export interface FieldLimit {
  readonly bytesMax: number;
  readonly problem: FieldProblem;
}

/**
 * Reads protobuf wire format from input that may be damaged or hostile. Whatever is malformed sets
 * {@link failed}; from then on there are no more fields and every value is zero or empty, so that a
 * codec reads a whole message and checks once. Every length is compared with what is left before it
 * is used. Stricter than protobuf: varints have their shortest form, booleans are 0 or 1, and an
 * unknown field, or a known one of the wrong wire type, fails below field 32 unless the reader was
 * told to skip them all.
 */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #end: number;
  #failed = false;
  #problem: FieldProblem | undefined;
  readonly #fieldMin: number;

  constructor(bytes: Uint8Array, unknownFields: "fail" | "skip" = "fail") {
    this.#fieldMin = unknownFields === "skip" ? 1 : skippableFieldMin;
    // A plain view: the subarrays of a Node Buffer would be Buffers, whose `slice` does not copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#end = bytes.length;
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** Why the input failed, where a codec has said so. */
  get problem(): FieldProblem | undefined {
    return this.#problem;
  }

  /** Marks the input as malformed: for what only the codec can know. */
  fail(problem?: FieldProblem): void {
    if (!this.#failed) this.#problem = problem;
    this.#failed = true;
    this.#at = this.#end;
  }

  /** The next field's tag, field number × 8 + wire type; 0 at the end of the message. */
  next(): number {
    if (this.#at >= this.#end) return 0;
    const tag = this.uint();
    if (tag < 8) this.fail();
    return this.#failed ? 0 : tag;
  }

  /** Steps over a field that the codec does not know, or fails if it is not to be ignored. */
  skip(tag: number): void {
    const wireType = tag & 7;
    if (tag >>> 3 < this.#fieldMin) this.fail();
    else if (wireType === 0) this.#skipVarint();
    else if (wireType === 1) this.#take(8);
    else if (wireType === 2) this.#take(this.uint());
    else if (wireType === 5) this.#take(4);
    else this.fail();
  }

  /** A varint of 32 bits. */
  uint(): number {
    let value = 0;
    let scale = 1;
    for (let index = 0; index < 5; index += 1) {
      if (this.#at >= this.#end) break;
      const byte = this.#bytes[this.#at] as number;
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if ((index > 0 && byte === 0) || value > 0xffff_ffff) break;
        return value;
      }
      scale *= 0x80;
    }
    this.fail();
    return 0;
  }

  /** Varints one after the other, added to `into`, which may then have `countMax` at most. */
  packedUints(into: number[], countMax: number): void {
    const outer = this.enter();
    while (!this.#failed && this.#at < this.#end) {
      if (into.length >= countMax) this.fail();
      else into.push(this.uint());
    }
    this.leave(outer);
  }

  /** Four bytes each, one after the other, added to `into`, which may have `countMax` at most. */
  packedFixed32(into: number[], countMax: number): void {
    const outer = this.enter();
    while (!this.#failed && this.#at < this.#end) {
      if (into.length >= countMax) this.fail();
      else into.push(this.fixed32());
    }
    this.leave(outer);
  }

  bool(): boolean {
    const value = this.uint();
    if (value > 1) this.fail();
    return value === 1;
  }

  fixed32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getUint32(at, true);
  }

  /** A double that is a time or a size: neither infinite nor NaN, and zero has no sign. */
  finite(): number {
    const value = this.duration();
    if (value === Number.POSITIVE_INFINITY) this.fail();
    return this.#failed ? 0 : value;
  }

  /** Likewise, but it may be without end. */
  duration(): number {
    const at = this.#take(8);
    const value = at < 0 ? 0 : this.#view.getFloat64(at, true);
    if (Number.isNaN(value) || value === Number.NEGATIVE_INFINITY) this.fail();
    return this.#failed ? 0 : value + 0;
  }

  /**
   * Length-prefixed bytes within the message, which they keep in memory: for what lives as long as
   * a request. What is kept for longer is copied by whoever keeps it.
   */
  view(limit?: FieldLimit): Uint8Array {
    const length = this.uint();
    if (limit !== undefined && length > limit.bytesMax) this.fail(limit.problem);
    const at = this.#take(length);
    return at < 0 ? new Uint8Array(0) : this.#bytes.subarray(at, at + length);
  }

  /** Length-prefixed bytes that may be kept: they pin at most twice their size. */
  owned(): Uint8Array {
    const within = this.view();
    return within.buffer.byteLength <= within.length * 2 ? within : within.slice();
  }

  /** Length-prefixed UTF-8. */
  text(limit?: FieldLimit): string {
    const length = this.uint();
    if (limit !== undefined && length > limit.bytesMax) this.fail(limit.problem);
    const at = this.#take(length);
    if (at < 0) return "";
    for (let index = at; index < at + length; index += 1) {
      if ((this.#bytes[index] as number) < 0x80) continue;
      const text = decodeUtf8(this.#bytes.subarray(at, at + length));
      if (text === undefined) this.fail(limit?.problem);
      return text ?? "";
    }
    return latin1(this.#bytes, at, at + length);
  }

  /** Exactly `length` bytes, length-prefixed, as lower-case hex. */
  hex(length: number, problem?: FieldProblem): string {
    if (this.uint() !== length) this.fail(problem);
    const at = this.#take(length);
    return at < 0 ? "" : hex(this.#bytes, at, at + length);
  }

  /** Enters a nested message; returns what {@link leave} needs. */
  enter(): number {
    const length = this.uint();
    const outer = this.#end;
    if (length > outer - this.#at) this.fail();
    if (!this.#failed) this.#end = this.#at + length;
    return outer;
  }

  /** Leaves a nested message, all of whose fields were read. */
  leave(outer: number): void {
    this.#end = outer;
    if (this.#failed) this.#at = outer;
  }

  /** Leaves a nested message whether or not it was well-formed; says whether it was. */
  leaveEvenIfMalformed(outer: number): boolean {
    const wasWhole = !this.#failed;
    this.#at = this.#end;
    this.#end = outer;
    this.#failed = false;
    this.#problem = undefined;
    return wasWhole;
  }

  /** The position of the next `length` bytes, which are stepped over, or -1. */
  #take(length: number): number {
    const at = this.#at;
    if (this.#failed || length > this.#end - at) {
      this.fail();
      return -1;
    }
    this.#at = at + length;
    return at;
  }

  /** Of an unknown field: up to 64 bits. */
  #skipVarint(): void {
    for (let index = 0; index < 10 && this.#at < this.#end; index += 1) {
      this.#at += 1;
      if ((this.#bytes[this.#at - 1] as number) < 0x80) return;
    }
    this.fail();
  }
}
