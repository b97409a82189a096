/**
 * Splits an inline command into its words, as Redis does: by blanks, with double quotes in which
 * `\n`, `\r`, `\t`, `\b`, `\a` and `\xhh` stand for bytes, and single quotes in which only `\'`
 * does. `undefined` when quotes are not closed, or not followed by a blank.
 */
export function splitInline(line: Uint8Array): readonly Uint8Array[] | undefined {
  const words: Uint8Array[] = [];
  const word = new Uint8Array(line.length);
  let at = 0;
  for (;;) {
    while (at < line.length && isBlank(line[at] as number)) at += 1;
    if (at >= line.length) return words;
    let length = 0;
    while (at < line.length && !isBlank(line[at] as number)) {
      const byte = line[at] as number;
      if (byte !== doubleQuote && byte !== singleQuote) {
        word[length] = byte;
        length += 1;
        at += 1;
        continue;
      }
      const quoted = readQuoted(line, at + 1, byte, word, length);
      if (quoted === undefined) return undefined;
      ({ at, length } = quoted);
    }
    words.push(word.slice(0, length));
  }
}

const doubleQuote = 0x22;
const singleQuote = 0x27;
const backslash = 0x5c;

interface QuotedPart {
  /** After the closing quote. */
  readonly at: number;
  readonly length: number;
}

/** Reads up to the closing quote, into `word` from `from` on. */
function readQuoted(
  line: Uint8Array,
  start: number,
  quote: number,
  word: Uint8Array,
  from: number,
): QuotedPart | undefined {
  let at = start;
  let length = from;
  for (;;) {
    const byte = line[at];
    if (byte === undefined) return undefined;
    if (byte === quote) {
      const next = line[at + 1];
      return next === undefined || isBlank(next) ? { at: at + 1, length } : undefined;
    }
    const next = line[at + 1];
    const isEscape = byte === backslash && next !== undefined;
    if (isEscape && quote === doubleQuote) {
      const code = next === 0x78 ? hexByte(line[at + 2], line[at + 3]) : undefined;
      word[length] = code ?? escapes.get(next) ?? next;
      at += code === undefined ? 2 : 4;
    } else if (isEscape && next === singleQuote) {
      word[length] = singleQuote;
      at += 2;
    } else {
      word[length] = byte;
      at += 1;
    }
    length += 1;
  }
}

const escapes: ReadonlyMap<number, number> = new Map([
  [0x6e, 10],
  [0x72, 13],
  [0x74, 9],
  [0x62, 8],
  [0x61, 7],
]);

function hexByte(high: number | undefined, low: number | undefined): number | undefined {
  const digits = [hexDigit(high), hexDigit(low)];
  const [first, second] = digits;
  return first === undefined || second === undefined ? undefined : first * 16 + second;
}

function hexDigit(code: number | undefined): number | undefined {
  if (code === undefined) return undefined;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : undefined;
}

/** What C's isspace takes for one, and a zero byte, which would end a string of C. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 9 && byte <= 13) || byte === 0;
}
