// The pure packages see no TextEncoder, Buffer or atob: these few conversions are what they need.

const HEX = "0123456789abcdef";
const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** UTF-8 bytes of `text`; a lone surrogate becomes U+FFFD, as TextEncoder has it. */
export function utf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0) as number;
    const code = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) {
      bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    } else {
      bytes.push(
        0xf0 | (code >> 18),
        0x80 | ((code >> 12) & 63),
        0x80 | ((code >> 6) & 63),
        0x80 | (code & 63),
      );
    }
  }
  return Uint8Array.from(bytes);
}

/** One character per byte, code points 0 to 255: a byte string as a `Map` key or as ASCII. */
export function latin1(bytes: Uint8Array, start: number = 0, end: number = bytes.length): string {
  let text = "";
  for (let at = start; at < end; at += 1) text += String.fromCharCode(bytes[at] as number);
  return text;
}

/** Lower-case hex of `bytes[start, end)`. */
export function hex(bytes: Uint8Array, start: number = 0, end: number = bytes.length): string {
  let text = "";
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] as number;
    text += (HEX[byte >> 4] as string) + (HEX[byte & 15] as string);
  }
  return text;
}

/** Writes the bytes of hex `text` at `at`; the caller has checked that `text` is hex. */
export function writeHex(text: string, target: Uint8Array, at: number): void {
  for (let index = 0; index < text.length; index += 2) {
    target[at + index / 2] =
      (hexDigit(text.charCodeAt(index)) << 4) | hexDigit(text.charCodeAt(index + 1));
  }
}

function hexDigit(code: number): number {
  return code <= 57 ? code - 48 : code - 87;
}

/** Base64url of `bytes`, without padding (RFC 4648 section 5). */
export function base64url(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const word =
      ((bytes[at] as number) << 16) |
      ((left > 1 ? (bytes[at + 1] as number) : 0) << 8) |
      (left > 2 ? (bytes[at + 2] as number) : 0);
    text += (BASE64URL[word >>> 18] as string) + (BASE64URL[(word >>> 12) & 63] as string);
    if (left > 1) text += BASE64URL[(word >>> 6) & 63] as string;
    if (left > 2) text += BASE64URL[word & 63] as string;
  }
  return text;
}

/** Bytes of unpadded base64url `text`, or `undefined` when it is not canonical base64url. */
export function fromBase64url(text: string): Uint8Array | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let word = 0;
  let bits = 0;
  let at = 0;
  for (let index = 0; index < text.length; index += 1) {
    const digit = base64urlDigit(text.charCodeAt(index));
    if (digit < 0) return undefined;
    word = ((word << 6) | digit) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at] = (word >>> bits) & 0xff;
      at += 1;
    }
  }
  // Left-over bits must be zero, so that one byte string has exactly one text.
  return (word & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}

function base64urlDigit(code: number): number {
  if (code >= 65 && code <= 90) return code - 65;
  if (code >= 97 && code <= 122) return code - 71;
  if (code >= 48 && code <= 57) return code + 4;
  if (code === 45) return 62;
  return code === 95 ? 63 : -1;
}
