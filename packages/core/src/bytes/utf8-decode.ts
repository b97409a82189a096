import { latin1 } from "./text.ts";

/** Text of UTF-8 `bytes`, or `undefined` when they are not well-formed UTF-8 (RFC 3629). */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  if (bytes.every((byte) => byte < 0x80)) return latin1(bytes);
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at] as number;
    const length = sequenceLength(lead);
    if (length === 0 || at + length > bytes.length) return undefined;
    let point = length === 1 ? lead : lead & (0x7f >> length);
    for (let index = 1; index < length; index += 1) {
      const byte = bytes[at + index] as number;
      if (byte >> 6 !== 2) return undefined;
      point = (point << 6) | (byte & 63);
    }
    if (!isScalar(point, length)) return undefined;
    text += String.fromCodePoint(point);
    at += length;
  }
  return text;
}

function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

/** False for surrogates, for what is beyond Unicode, and for overlong forms. */
function isScalar(point: number, length: number): boolean {
  const least = [0, 0, 0x80, 0x800, 0x10000][length] as number;
  const isSurrogate = point >= 0xd800 && point <= 0xdfff;
  return point >= least && point <= 0x10ffff && !isSurrogate;
}
