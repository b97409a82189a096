import { deepStrictEqual, equal, ok } from "node:assert/strict";
import * as fc from "fast-check";
import {
  decodeOwnRecord,
  decodeRecord,
  decodeRecordKey,
  encodeRecord,
  mergeRecords,
  recordDigest,
  utf8,
} from "../../src/index.ts";
import { reachableRecord } from "../causality/arbitraries.ts";

const key = { bucket: "default", key: utf8("k") };

/** Records come from disks and peers: only canonical bytes are records, and merging keeps them. */
export const seeds: readonly Uint8Array[] = fc
  .sample(reachableRecord, { seed: 1, numRuns: 20 })
  .map((record) => encodeRecord(key, record));

export function run(input: Uint8Array): void {
  recordDigest(input);
  const early = decodeRecordKey(input);
  const decoded = decodeRecord(input);
  if (!decoded.ok) return;
  const { bucket, key, record } = decoded;
  deepStrictEqual(early, { bucket, key });
  deepStrictEqual(decodeOwnRecord(input), record);
  deepStrictEqual(encodeRecord({ bucket, key }, record), input);
  deepStrictEqual(mergeRecords(record, record), record);
  ok(record.clock.size * 9 <= input.length);
  equal(decodeRecord(input.subarray(0, input.length - 1)).ok, false);
}
