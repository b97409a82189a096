// The pure packages see no TextEncoder, Buffer or atob: these few conversions are what they need.

// Strings are made of character codes in slices of this many: more could overflow the stack, and
// a character at a time would leave a chain of as many string cells.
const SLICE = 4096;

/** UTF-8 bytes of `text`; a lone surrogate becomes U+FFFD, as TextEncoder has it. */
export function utf8(text: string): Uint8Array {
  const ascii = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code >= 0x80) return utf8Beyond(text);
    ascii[index] = code;
  }
  return ascii;
}

function utf8Beyond(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3);
  let at = 0;
  const add = (byte: number): void => {
    bytes[at] = byte;
    at += 1;
  };
  for (const character of text) {
    const point = character.codePointAt(0) as number;
    const code = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
    if (code < 0x80) add(code);
    else {
      if (code < 0x800) add(0xc0 | (code >> 6));
      else {
        if (code < 0x10000) add(0xe0 | (code >> 12));
        else {
          add(0xf0 | (code >> 18));
          add(0x80 | ((code >> 12) & 63));
        }
        add(0x80 | ((code >> 6) & 63));
      }
      add(0x80 | (code & 63));
    }
  }
  return bytes.slice(0, at);
}

/** One character per byte, code points 0 to 255: a byte string as a `Map` key or as ASCII. */
export function latin1(bytes: Uint8Array, start: number = 0, end: number = bytes.length): string {
  let text = "";
  for (let at = start; at < end; at += SLICE) {
    text += fromCodes(bytes.subarray(at, Math.min(end, at + SLICE)));
  }
  return text;
}

/** The text of character codes, in one allocation: `apply` takes any array-like of arguments. */
function fromCodes(codes: Uint8Array): string {
  return String.fromCharCode.apply(undefined, codes as unknown as number[]);
}

/** Lower-case hex of `bytes[start, end)`. */
export function hex(bytes: Uint8Array, start: number = 0, end: number = bytes.length): string {
  let text = "";
  let at = start;
  // An actor or a write id is one string then, and not several that have to be put together.
  for (; at + 16 <= end; at += 16) text += hexOfSixteen(bytes, at);
  for (; at + 8 <= end; at += 8) text += hexOfEight(bytes, at);
  for (; at < end; at += 1) {
    const byte = bytes[at] as number;
    text += String.fromCharCode(digitOf(byte >> 4), digitOf(byte & 15));
  }
  return text;
}

function hexOfSixteen(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(
    digitOf((bytes[at] as number) >> 4),
    digitOf((bytes[at] as number) & 15),
    digitOf((bytes[at + 1] as number) >> 4),
    digitOf((bytes[at + 1] as number) & 15),
    digitOf((bytes[at + 2] as number) >> 4),
    digitOf((bytes[at + 2] as number) & 15),
    digitOf((bytes[at + 3] as number) >> 4),
    digitOf((bytes[at + 3] as number) & 15),
    digitOf((bytes[at + 4] as number) >> 4),
    digitOf((bytes[at + 4] as number) & 15),
    digitOf((bytes[at + 5] as number) >> 4),
    digitOf((bytes[at + 5] as number) & 15),
    digitOf((bytes[at + 6] as number) >> 4),
    digitOf((bytes[at + 6] as number) & 15),
    digitOf((bytes[at + 7] as number) >> 4),
    digitOf((bytes[at + 7] as number) & 15),
    digitOf((bytes[at + 8] as number) >> 4),
    digitOf((bytes[at + 8] as number) & 15),
    digitOf((bytes[at + 9] as number) >> 4),
    digitOf((bytes[at + 9] as number) & 15),
    digitOf((bytes[at + 10] as number) >> 4),
    digitOf((bytes[at + 10] as number) & 15),
    digitOf((bytes[at + 11] as number) >> 4),
    digitOf((bytes[at + 11] as number) & 15),
    digitOf((bytes[at + 12] as number) >> 4),
    digitOf((bytes[at + 12] as number) & 15),
    digitOf((bytes[at + 13] as number) >> 4),
    digitOf((bytes[at + 13] as number) & 15),
    digitOf((bytes[at + 14] as number) >> 4),
    digitOf((bytes[at + 14] as number) & 15),
    digitOf((bytes[at + 15] as number) >> 4),
    digitOf((bytes[at + 15] as number) & 15),
  );
}

function hexOfEight(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(
    digitOf((bytes[at] as number) >> 4),
    digitOf((bytes[at] as number) & 15),
    digitOf((bytes[at + 1] as number) >> 4),
    digitOf((bytes[at + 1] as number) & 15),
    digitOf((bytes[at + 2] as number) >> 4),
    digitOf((bytes[at + 2] as number) & 15),
    digitOf((bytes[at + 3] as number) >> 4),
    digitOf((bytes[at + 3] as number) & 15),
    digitOf((bytes[at + 4] as number) >> 4),
    digitOf((bytes[at + 4] as number) & 15),
    digitOf((bytes[at + 5] as number) >> 4),
    digitOf((bytes[at + 5] as number) & 15),
    digitOf((bytes[at + 6] as number) >> 4),
    digitOf((bytes[at + 6] as number) & 15),
    digitOf((bytes[at + 7] as number) >> 4),
    digitOf((bytes[at + 7] as number) & 15),
  );
}

function digitOf(nibble: number): number {
  return nibble < 10 ? 48 + nibble : 87 + nibble;
}

/** Writes the bytes of hex `text` at `at`; the caller has checked that `text` is hex. */
export function writeHex(text: string, target: Uint8Array, at: number): void {
  for (let index = 0; index < text.length; index += 2) {
    target[at + index / 2] = hexByte(text, index);
  }
}

/** What two digits of a hex text stand for. */
export function hexByte(text: string, index: number): number {
  return (hexDigit(text.charCodeAt(index)) << 4) | hexDigit(text.charCodeAt(index + 1));
}

function hexDigit(code: number): number {
  return code <= 57 ? code - 48 : code - 87;
}

/** Base64url of `bytes`, without padding (RFC 4648 section 5). */
export function base64url(bytes: Uint8Array): string {
  let text = "";
  let at = 0;
  // Four times as much at once makes a fourth of the strings that have to be put together.
  for (; at + 12 <= bytes.length; at += 12) text += base64urlOfTwelve(bytes, at);
  for (; at + 3 <= bytes.length; at += 3) {
    const word = bigEndian24(bytes, at);
    text += String.fromCharCode(
      base64urlCode(word >>> 18),
      base64urlCode((word >>> 12) & 63),
      base64urlCode((word >>> 6) & 63),
      base64urlCode(word & 63),
    );
  }
  const left = bytes.length - at;
  if (left === 0) return text;
  const word = ((bytes[at] as number) << 8) | (left === 2 ? (bytes[at + 1] as number) : 0);
  text += String.fromCharCode(base64urlCode(word >>> 10), base64urlCode((word >>> 4) & 63));
  return left === 2 ? text + String.fromCharCode(base64urlCode((word << 2) & 63)) : text;
}

function base64urlOfTwelve(bytes: Uint8Array, at: number): string {
  const a = bigEndian24(bytes, at);
  const b = bigEndian24(bytes, at + 3);
  const c = bigEndian24(bytes, at + 6);
  const d = bigEndian24(bytes, at + 9);
  return String.fromCharCode(
    base64urlCode(a >>> 18),
    base64urlCode((a >>> 12) & 63),
    base64urlCode((a >>> 6) & 63),
    base64urlCode(a & 63),
    base64urlCode(b >>> 18),
    base64urlCode((b >>> 12) & 63),
    base64urlCode((b >>> 6) & 63),
    base64urlCode(b & 63),
    base64urlCode(c >>> 18),
    base64urlCode((c >>> 12) & 63),
    base64urlCode((c >>> 6) & 63),
    base64urlCode(c & 63),
    base64urlCode(d >>> 18),
    base64urlCode((d >>> 12) & 63),
    base64urlCode((d >>> 6) & 63),
    base64urlCode(d & 63),
  );
}

function bigEndian24(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
  );
}

/** The character of each digit. */
const base64urlCodes: Uint8Array = Uint8Array.from({ length: 64 }, (_, digit) => {
  if (digit < 26) return digit + 65;
  if (digit < 52) return digit + 71;
  if (digit < 62) return digit - 4;
  return digit === 62 ? 45 : 95;
});

function base64urlCode(digit: number): number {
  return base64urlCodes[digit] as number;
}

/** Bytes of unpadded base64url `text`, or `undefined` when it is not canonical base64url. */
export function fromBase64url(text: string): Uint8Array | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  const whole = text.length - (text.length % 4);
  let at = 0;
  for (let index = 0; index < whole; index += 4) {
    const high = (base64urlDigit(text, index) << 18) | (base64urlDigit(text, index + 1) << 12);
    const word = high | (base64urlDigit(text, index + 2) << 6) | base64urlDigit(text, index + 3);
    // A character that is no digit is −1, and so the word is negative.
    if (word < 0) return undefined;
    bytes[at] = word >>> 16;
    bytes[at + 1] = (word >>> 8) & 0xff;
    bytes[at + 2] = word & 0xff;
    at += 3;
  }
  if (whole === text.length) return bytes;
  const high = (base64urlDigit(text, whole) << 18) | (base64urlDigit(text, whole + 1) << 12);
  const left = text.length - whole;
  const word = left === 2 ? high : high | (base64urlDigit(text, whole + 2) << 6);
  // Left-over bits must be zero, so that one byte string has exactly one text.
  if (word < 0 || (word & (left === 2 ? 0xffff : 0xff)) !== 0) return undefined;
  bytes[at] = word >>> 16;
  if (left === 3) bytes[at + 1] = (word >>> 8) & 0xff;
  return bytes;
}

/** The digit that each character of ASCII stands for; −1: none. */
const base64urlDigits: Int8Array = Int8Array.from({ length: 128 }, (_, code) => {
  if (code >= 65 && code <= 90) return code - 65;
  if (code >= 97 && code <= 122) return code - 71;
  if (code >= 48 && code <= 57) return code + 4;
  if (code === 45) return 62;
  return code === 95 ? 63 : -1;
});

function base64urlDigit(text: string, index: number): number {
  return base64urlDigits[text.charCodeAt(index)] ?? -1;
}
