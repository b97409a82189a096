import { deepStrictEqual, equal } from "node:assert/strict";
import {
  ByteReader,
  ByteWriter,
  base64url,
  crc32c,
  decodeUtf8,
  fromBase64url,
  hex,
  latin1,
  parseActorId,
  parseNodeId,
  parseWriteId,
  utf8,
  writeHex,
} from "../../src/index.ts";

/** The conversions of the pure packages, beside those of Node. */
export const seeds: readonly Uint8Array[] = [
  "",
  "0123456789abcdef0123456789abcdef",
  "node-1",
  "AAECAwQF",
  "é ü € 𝄞",
].map((text) => utf8(text));

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function run(input: Uint8Array): void {
  const buffer = Buffer.from(input);
  const text = latin1(input);
  equal(text, buffer.toString("latin1"));
  equal(base64url(input), buffer.toString("base64url"));
  equal(hex(input), buffer.toString("hex"));
  const back = new Uint8Array(input.length);
  writeHex(hex(input), back, 0);
  deepStrictEqual(back, input);
  deepStrictEqual(utf8(text), new Uint8Array(Buffer.from(text, "utf8")));
  equal(decodeUtf8(input), strictText(input));
  const decoded = fromBase64url(text);
  if (decoded !== undefined) equal(base64url(decoded), text);
  const half = input.length >> 1;
  equal(crc32c(input, 0, half) >>> 0, crc32c(input.slice(0, half)) >>> 0);
  for (const parse of [parseActorId, parseNodeId, parseWriteId]) {
    equal(parse(text) ?? text, text);
  }
  readEverything(input);
}

function strictText(input: Uint8Array): string | undefined {
  try {
    return strict.decode(input);
  } catch {
    return undefined;
  }
}

/** What a varint is read from is what writing it gives. */
function readEverything(input: Uint8Array): void {
  const reader = new ByteReader(input);
  while (reader.remaining > 0 && !reader.failed) {
    const start = reader.position;
    const value = reader.varint();
    if (reader.failed) break;
    const writer = new ByteWriter(8);
    writer.varint(value);
    deepStrictEqual(writer.finish(), input.slice(start, reader.position));
  }
  equal(reader.remaining, 0);
}
