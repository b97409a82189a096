/** One line of a file, or one CSV record with its quoted line breaks. */
export interface SplitRecord {
  /** Counted from 1. */
  readonly number: number;
  /** The file's offset right after it. */
  readonly end: number;
  /** Without the line break; `undefined` when it was longer than allowed and was skipped. */
  readonly bytes: Buffer | undefined;
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const QUOTE = 34;

/** Cuts a stream of bytes into records without ever holding more than one of them. */
export class RecordSplitter {
  readonly #bytesMax: number;
  readonly #isQuoted: boolean;
  #number: number;
  #offset: number;
  #parts: Buffer[] = [];
  #partBytes = 0;
  #isTooLong = false;
  #isInQuotes = false;

  /** `isQuoted`: line breaks between double quotes belong to the record (RFC 4180). */
  constructor(options: {
    readonly isQuoted: boolean;
    readonly bytesMax: number;
    readonly startNumber: number;
    readonly startOffset: number;
  }) {
    this.#isQuoted = options.isQuoted;
    this.#bytesMax = options.bytesMax;
    this.#number = options.startNumber;
    this.#offset = options.startOffset;
  }

  /** The records that end within `chunk`. */
  feed(chunk: Buffer): readonly SplitRecord[] {
    const records: SplitRecord[] = [];
    let start = 0;
    for (;;) {
      const end = this.#recordEnd(chunk, start);
      if (end === -1) break;
      this.#keep(chunk.subarray(start, end));
      this.#offset += end + 1 - start;
      records.push(this.#take());
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
    this.#offset += chunk.length - start;
    return records;
  }

  /** The last record, if the stream did not end with a line break. */
  finish(): SplitRecord | undefined {
    return this.#partBytes > 0 || this.#isTooLong ? this.#take() : undefined;
  }

  #recordEnd(chunk: Buffer, start: number): number {
    if (!this.#isQuoted) return chunk.indexOf(LINE_FEED, start);
    for (let at = start; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte === QUOTE) this.#isInQuotes = !this.#isInQuotes;
      else if (byte === LINE_FEED && !this.#isInQuotes) return at;
    }
    return -1;
  }

  #keep(part: Buffer): void {
    if (part.length === 0 || this.#isTooLong) return;
    if (this.#partBytes + part.length > this.#bytesMax) {
      this.#isTooLong = true;
      this.#parts = [];
      this.#partBytes = 0;
      return;
    }
    this.#parts.push(part);
    this.#partBytes += part.length;
  }

  #take(): SplitRecord {
    this.#number += 1;
    const whole = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
    const bytes = this.#isTooLong ? undefined : withoutReturn(whole ?? Buffer.alloc(0));
    this.#parts = [];
    this.#partBytes = 0;
    this.#isTooLong = false;
    this.#isInQuotes = false;
    return { number: this.#number, end: this.#offset, bytes };
  }
}

function withoutReturn(bytes: Buffer): Buffer {
  return bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
}
