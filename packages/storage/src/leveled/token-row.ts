import {
  ByteReader,
  ByteWriter,
  type Digest,
  type PartitionId,
  type Token,
  crc32c,
  isWide as isWideRecord,
  nextDeadlineMs,
  recordDigest,
  withClass,
} from "@coterie/core";
import type { EngineRange } from "@coterie/ports";
import { dueOf } from "../index/due.ts";
import { entryHeaderBytes } from "../log/format.ts";
import { EncodedRecord } from "../record-cache.ts";
import type { StoredRecord } from "../store.ts";

// What a key-value engine holds of a token, specified in docs/internals/engine-format.md: a row
// with its records, and a smaller one with what an index would know of them. Each has a checksum
// over its key and its value, so that neither another row nor a torn one is taken for it; and what
// one of the two lacks shows in the other.

/** What is known of a record without reading it. */
export interface Counted {
  readonly digest: Digest;
  /** Of its entry in the log. */
  readonly bytes: number;
  /** As `due.ts` has it. */
  readonly due: number;
  readonly isWide: boolean;
}

/** A record, and what is known of it. */
export interface RowEntry extends Counted {
  readonly encoded: Uint8Array;
}

/** All that is held at a token: usually one record, rarely none. */
export interface TokenRow {
  readonly entries: readonly RowEntry[];
  /** What the sums of the partition say is here: the same, unless it is damaged. */
  readonly counted: readonly Counted[];
  /** Some of it cannot be read. */
  readonly isDamaged: boolean;
}

export const emptyRow: TokenRow = { entries: [], counted: [], isDamaged: false };

export function damagedRow(counted: readonly Counted[]): TokenRow {
  return { entries: [], counted, isDamaged: true };
}

export function soundRow(entries: readonly RowEntry[]): TokenRow {
  return { entries, counted: entries, isDamaged: false };
}

/** @param copies the n of its bucket. */
export function entryOf(stored: StoredRecord, copies: number): RowEntry {
  const { record, bytes } = stored;
  return {
    encoded: bytes,
    digest: withClass(recordDigest(bytes), copies),
    bytes: entryHeaderBytes + bytes.length,
    due: dueOf(nextDeadlineMs(record)),
    isWide: isWideRecord(record, copies),
  };
}

/** The record of an entry: what it is decoded into is not kept with the entry. */
export function storedOf({ encoded }: RowEntry): StoredRecord {
  return new EncodedRecord(encoded);
}

const tokenBytes = 8;
const checksumBytes = 4;
const countedBytes = 16;
const wideBit = 0x8000_0000;

/** The first byte of a key. */
const kinds = { counted: 1, records: 2, summary: 3, marker: 4 } as const;
export type RowKind = keyof typeof kinds;

/** The key of a token's row; rows of one kind lie in the order of tokens. */
export function rowKey(kind: "counted" | "records", token: Token): Uint8Array {
  const key = new Uint8Array(1 + tokenBytes);
  const view = new DataView(key.buffer);
  key[0] = kinds[kind];
  view.setUint32(1, token.high);
  view.setUint32(5, token.low);
  return key;
}

export function tokenIn(key: Uint8Array): Token {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  return { high: view.getUint32(1), low: view.getUint32(5) };
}

export function summaryKey(partition: PartitionId): Uint8Array {
  const key = new Uint8Array(5);
  key[0] = kinds.summary;
  new DataView(key.buffer).setUint32(1, partition);
  return key;
}

export const markerKey: Uint8Array = Uint8Array.of(kinds.marker);

/** All keys of a kind. */
export function allOf(kind: RowKind): EngineRange {
  return { from: Uint8Array.of(kinds[kind]), until: Uint8Array.of(kinds[kind] + 1) };
}

/** The rows of a kind with tokens of a partition after `after`, and before `until`. */
export function rangeOf(
  kind: "counted" | "records",
  { partition, after, until }: TokenStretch,
  partitions: number,
): EngineRange {
  const end = firstOf(partition + 1, partitions);
  const first = after === undefined ? firstOf(partition, partitions) : tokenAfter(after);
  const isToEnd = until === undefined && end.high > 0xffff_ffff;
  const isNone = first.high > 0xffff_ffff;
  return {
    from: isNone ? Uint8Array.of(kinds[kind] + 1) : rowKey(kind, first),
    until: isToEnd ? Uint8Array.of(kinds[kind] + 1) : rowKey(kind, until ?? end),
  };
}

export interface TokenStretch {
  readonly partition: PartitionId;
  readonly after: Token | undefined;
  readonly until: Token | undefined;
}

/** The first token of a partition; of one past the last: one past all tokens. */
function firstOf(partition: number, partitions: number): Token {
  return { high: Math.ceil((partition * 0x1_0000_0000) / partitions), low: 0 };
}

function tokenAfter({ high, low }: Token): Token {
  return low < 0xffff_ffff ? { high, low: low + 1 } : { high: high + 1, low: 0 };
}

/** Adds the checksum of the key and of what was written. */
export function sealed(key: Uint8Array, writer: ByteWriter): Uint8Array {
  writer.u32(checksumOf(key, writer.view(0)));
  return writer.finish();
}

/** What was sealed under this key; `undefined` if it is not whole, or of another key. */
export function unsealed(key: Uint8Array, value: Uint8Array): Uint8Array | undefined {
  const end = value.length - checksumBytes;
  if (end < 0) return undefined;
  const content = value.subarray(0, end);
  const reader = new ByteReader(value, end, value.length);
  return reader.u32() === checksumOf(key, content) ? content : undefined;
}

function checksumOf(key: Uint8Array, content: Uint8Array): number {
  return (crc32c(key) ^ crc32c(content)) >>> 0;
}

export function encodeCounted(key: Uint8Array, counted: readonly Counted[]): Uint8Array {
  const writer = new ByteWriter(counted.length * countedBytes + checksumBytes);
  for (const each of counted) writeCounted(writer, each);
  return sealed(key, writer);
}

/** `undefined` if it is damaged. */
export function decodeCounted(key: Uint8Array, value: Uint8Array): readonly Counted[] | undefined {
  const content = unsealed(key, value);
  if (content === undefined || content.length % countedBytes !== 0) return undefined;
  const reader = new ByteReader(content);
  return Array.from({ length: content.length / countedBytes }, () => readCounted(reader));
}

export function encodeRecords(key: Uint8Array, entries: readonly RowEntry[]): Uint8Array {
  const length = entries.reduce((sum, { bytes }) => sum + bytes + countedBytes, checksumBytes);
  const writer = new ByteWriter(length);
  for (const entry of entries) {
    writeCounted(writer, entry);
    writer.u32(entry.encoded.length);
    writer.bytes(entry.encoded);
  }
  return sealed(key, writer);
}

/** `undefined` if it is damaged. What it returns are views. */
export function decodeRecords(key: Uint8Array, value: Uint8Array): TokenRow | undefined {
  const content = unsealed(key, value);
  if (content === undefined) return undefined;
  const reader = new ByteReader(content);
  const entries: RowEntry[] = [];
  while (reader.remaining > 0 && !reader.failed) {
    const counted = readCounted(reader);
    const encoded = reader.view(reader.u32());
    if (counted.bytes !== entryHeaderBytes + encoded.length) reader.fail();
    entries.push({ ...counted, encoded });
  }
  return reader.failed ? undefined : soundRow(entries);
}

function writeCounted(writer: ByteWriter, { digest, bytes, due, isWide }: Counted): void {
  writer.u32(digest.high);
  writer.u32(digest.low);
  writer.u32((isWide ? bytes | wideBit : bytes) >>> 0);
  writer.u32(due);
}

function readCounted(reader: ByteReader): Counted {
  const digest = { high: reader.u32(), low: reader.u32() };
  const word = reader.u32();
  return { digest, bytes: word % wideBit, due: reader.u32(), isWide: word >= wideBit };
}
