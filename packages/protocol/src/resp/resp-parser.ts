import { splitInline } from "./split-inline.ts";

/** What a client may send, before any of it takes memory. */
export interface RespParserLimits {
  /** Bytes of one argument that are taken; more are read past, and the command is refused. */
  readonly bulkBytesMax: number;
  /** Bytes of all arguments of a command together, likewise. */
  readonly commandBytesMax: number;
}

/** An announced length above this is a protocol error, as in Redis: 512 MiB. */
export const respBulkBytesMax: number = 512 * 1024 * 1024;
/** Redis' limits, whose errors clients know. */
const argumentsMax = 1024 * 1024;
const lineBytesMax = 64 * 1024;
/** What an argument takes in memory beside its bytes, roughly. */
const argumentOverheadBytes = 96;
const partialBytesLeast = 1024;

const cr = 13;
const lf = 10;
const empty = new Uint8Array(0);

/**
 * Cuts what a client sends into commands (docs/internals/resp.md):
 *
 *     line ──"*n"──▶ header of argument ──"$n"──▶ argument ──▶ … ──▶ a command, line
 *      └──anything else: an inline command, line
 *
 * What is fed is not copied: arguments are views of it, but for those that come in pieces, whose
 * memory grows with what has come and not with what was announced. After a problem nothing more
 * can be read.
 */
export class RespParser {
  /** What is wrong, in Redis' words; then the framing is lost. */
  problem: string | undefined;
  /** Whether the last command came as a line of words. */
  isInline = false;
  /** Whether arguments of the last command were over a limit, and are empty here. */
  isOverLimit = false;
  readonly #limits: RespParserLimits;
  #chunk: Uint8Array = empty;
  #at = 0;
  /** A line or argument of which only the beginning has come. */
  #partial: Uint8Array = empty;
  #partialLength = 0;
  #words: Uint8Array[] = [];
  /** Arguments of the current command that are still to come. */
  #missing = 0;
  #commandBytes = 0;
  /** Of the current argument, its length; -1 while that is not known. */
  #bulkLength = -1;
  /** The current argument is over a limit: so many of its bytes are still to be read past. */
  #skipping = -1;

  constructor(limits: RespParserLimits) {
    this.#limits = limits;
  }

  /** Bytes of memory that an unfinished command takes. */
  get heldBytes(): number {
    if (this.#missing === 0) return this.#partial.length;
    const announced = this.#skipping < 0 ? Math.max(0, this.#bulkLength) : 0;
    return this.#partial.length + this.#commandBytes - announced;
  }

  /** True if no command has begun that is not finished, and nothing is left to read. */
  get isBetweenCommands(): boolean {
    return this.#at === this.#chunk.length && this.#missing === 0 && this.#partialLength === 0;
  }

  /** Takes what has come next. Everything fed before must have been read. */
  feed(chunk: Uint8Array): void {
    if (this.#at < this.#chunk.length) {
      const joined = new Uint8Array(this.#chunk.length - this.#at + chunk.length);
      joined.set(this.#chunk.subarray(this.#at));
      joined.set(chunk, this.#chunk.length - this.#at);
      this.#chunk = joined;
    } else this.#chunk = chunk;
    this.#at = 0;
  }

  /** The next whole command; `undefined` when more must come first, or after a problem. */
  next(): readonly Uint8Array[] | undefined {
    while (this.problem === undefined) {
      if (this.#missing === 0) {
        const command = this.#readFirstLine();
        if (command === undefined) return undefined;
        if (command.length > 0) return command;
        continue;
      }
      if (this.#bulkLength < 0 && !this.#readBulkHeader()) return undefined;
      if (!this.#readBulk()) return undefined;
      if (this.#missing === 0) return this.#words;
    }
    return undefined;
  }

  /** A whole inline command, or an empty list where there is none or an array begins. */
  #readFirstLine(): readonly Uint8Array[] | undefined {
    if (this.#at >= this.#chunk.length) return undefined;
    const first = this.#partialLength > 0 ? this.#partial[0] : this.#chunk[this.#at];
    if (first === 0x2a) return this.#readArrayHeader();
    const line = this.#readLine(lf, "too big inline request");
    if (line === undefined) return undefined;
    const end = line.length > 0 && line[line.length - 1] === cr ? line.length - 1 : line.length;
    const words = splitInline(line.subarray(0, end));
    if (words === undefined) return this.#fail("unbalanced quotes in request");
    this.isInline = true;
    this.isOverLimit = false;
    return words;
  }

  #readArrayHeader(): readonly Uint8Array[] | undefined {
    const line = this.#readLine(cr, "too big mbulk count string");
    if (line === undefined) return undefined;
    const count = integerIn(line, 1);
    if (count === undefined || count > argumentsMax) return this.#fail("invalid multibulk length");
    this.isInline = false;
    this.isOverLimit = false;
    this.#words = [];
    this.#missing = Math.max(0, count);
    this.#commandBytes = 0;
    return [];
  }

  #readBulkHeader(): boolean {
    if (this.#at >= this.#chunk.length) return false;
    const first = this.#partialLength > 0 ? this.#partial[0] : this.#chunk[this.#at];
    if (first !== 0x24) {
      this.#fail(`expected '$', got '${String.fromCharCode(first as number)}'`);
      return false;
    }
    const line = this.#readLine(cr, "too big bulk count string");
    if (line === undefined) return false;
    const length = integerIn(line, 1);
    if (length === undefined || length < 0 || length > respBulkBytesMax) {
      this.#fail("invalid bulk length");
      return false;
    }
    const bytes = length + argumentOverheadBytes;
    const { bulkBytesMax, commandBytesMax } = this.#limits;
    this.#bulkLength = length;
    if (length > bulkBytesMax || this.#commandBytes + bytes > commandBytesMax) {
      this.isOverLimit = true;
      this.#skipping = length;
    } else this.#commandBytes += bytes;
    return true;
  }

  #readBulk(): boolean {
    if (this.#skipping >= 0) return this.#readPast();
    const length = this.#bulkLength;
    const left = this.#chunk.length - this.#at;
    if (this.#partialLength === 0 && left >= length + 2) {
      const start = this.#at;
      this.#at += length;
      return this.#endBulk(this.#view(start, start + length));
    }
    const wanted = length - this.#partialLength;
    this.#keep(Math.min(left, wanted), length);
    if (left < wanted + 2) return this.#waitForEnd();
    return this.#endBulk(this.#takePartial());
  }

  /** The line end may come in pieces too: it is read when both of its bytes are there. */
  #waitForEnd(): boolean {
    if (this.#at < this.#chunk.length) {
      // What is left is the first byte of the end: fed again with what comes next.
      this.#chunk = this.#chunk.slice(this.#at);
      this.#at = 0;
    }
    return false;
  }

  #readPast(): boolean {
    const step = Math.min(this.#skipping, this.#chunk.length - this.#at);
    this.#at += step;
    this.#skipping -= step;
    if (this.#skipping > 0 || this.#chunk.length - this.#at < 2) return this.#waitForEnd();
    this.#skipping = -1;
    return this.#endBulk(empty);
  }

  #endBulk(word: Uint8Array): boolean {
    if (this.#chunk[this.#at] !== cr || this.#chunk[this.#at + 1] !== lf) {
      this.#fail("expected CR LF after an argument");
      return false;
    }
    this.#at += 2;
    this.#words.push(word);
    this.#missing -= 1;
    this.#bulkLength = -1;
    return true;
  }

  /** The bytes up to a line's end, which is read past: LF alone, or CR and whatever follows. */
  #readLine(end: number, tooLong: string): Uint8Array | undefined {
    const found = this.#chunk.indexOf(end, this.#at);
    const last = end === cr ? found + 1 : found;
    const isWhole = found >= 0 && last < this.#chunk.length;
    const until = found >= 0 ? found : this.#chunk.length;
    if (this.#partialLength + until - this.#at > lineBytesMax) return this.#fail(tooLong);
    if (!isWhole) {
      this.#keep(until - this.#at, lineBytesMax);
      this.#waitForEnd();
      return undefined;
    }
    if (end === cr && this.#chunk[last] !== lf) return this.#fail("expected LF after CR");
    if (this.#partialLength === 0) {
      const line = this.#view(this.#at, found);
      this.#at = last + 1;
      return line;
    }
    this.#keep(found - this.#at, lineBytesMax);
    this.#at = last + 1;
    return this.#takePartial();
  }

  /** Moves `bytes` of the chunk to what is kept of a line or argument of at most `lengthMax`. */
  #keep(bytes: number, lengthMax: number): void {
    const needed = this.#partialLength + bytes;
    if (needed > this.#partial.length) {
      const room = Math.max(needed, this.#partial.length * 2, partialBytesLeast);
      const grown = new Uint8Array(Math.min(room, Math.max(lengthMax, needed)));
      grown.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial = grown;
    }
    this.#partial.set(this.#chunk.subarray(this.#at, this.#at + bytes), this.#partialLength);
    this.#partialLength = needed;
    this.#at += bytes;
  }

  #takePartial(): Uint8Array {
    const whole = this.#partial.subarray(0, this.#partialLength);
    this.#partial = empty;
    this.#partialLength = 0;
    return whole;
  }

  #view(start: number, end: number): Uint8Array {
    const { buffer, byteOffset } = this.#chunk;
    return new Uint8Array(buffer, byteOffset + start, end - start);
  }

  #fail(problem: string): undefined {
    this.problem = problem;
    this.#chunk = empty;
    this.#at = 0;
    this.#partial = empty;
    this.#partialLength = 0;
    this.#words = [];
    return undefined;
  }
}

/** The whole number that a line holds from `start` on, in its only spelling. */
function integerIn(line: Uint8Array, start: number): number | undefined {
  const isNegative = line[start] === 0x2d;
  const first = isNegative ? start + 1 : start;
  const digits = line.length - first;
  if (digits < 1 || digits > 15) return undefined;
  if (line[first] === 0x30 && (digits > 1 || isNegative)) return undefined;
  let value = 0;
  for (let at = first; at < line.length; at += 1) {
    const digit = (line[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return isNegative ? -value : value;
}
