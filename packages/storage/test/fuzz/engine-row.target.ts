import { deepStrictEqual } from "node:assert/strict";
import { crc32c } from "@coterie/core";
import {
  decodeCounted,
  decodeRecords,
  encodeCounted,
  encodeRecords,
  rowKey,
} from "../../src/leveled/token-row.ts";

const token = { high: 5, low: 6 };
const [counted, records] = [rowKey("counted", token), rowKey("records", token)];
const digest = { high: 7, low: 3 };
const entry = { digest, bytes: 40, due: 2, isWide: true, encoded: new Uint8Array(25) };

/** Rows, as they are and with their checksums made right again. */
export const seeds: readonly Uint8Array[] = [
  encodeCounted(counted, [entry]),
  encodeCounted(counted, [entry, { ...entry, isWide: false }]),
  encodeRecords(records, [entry]),
  encodeRecords(records, [entry, { ...entry, bytes: 15, encoded: new Uint8Array(0) }]),
];

export function run(input: Uint8Array): void {
  for (const value of [input, sealed(counted, input)]) {
    const row = decodeCounted(counted, value);
    if (row !== undefined) deepStrictEqual(encodeCounted(counted, row), Uint8Array.from(value));
  }
  for (const value of [input, sealed(records, input)]) {
    const row = decodeRecords(records, value);
    if (row === undefined) continue;
    deepStrictEqual(encodeRecords(records, row.entries), Uint8Array.from(value));
  }
}

function sealed(key: Uint8Array, input: Uint8Array): Uint8Array {
  const bytes = input.slice();
  const end = bytes.length - 4;
  if (end < 0) return bytes;
  const checksum = (crc32c(key) ^ crc32c(bytes, 0, end)) >>> 0;
  new DataView(bytes.buffer).setUint32(end, checksum, true);
  return bytes;
}
