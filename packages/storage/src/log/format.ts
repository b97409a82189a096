import { ByteReader, ByteWriter, crc32c } from "@coterie/core";

// The bytes of a log segment, specified in docs/internals/log-format.md.
//   segment: header (32 bytes), then groups, then zeros or the end of the file
//   group:   header (32 bytes), then entries; written at once and synced before the next one
//   entry:   u32 length of what follows the checksum, u32 CRC32C of that, u8 kind, u48 lsn, body

export const segmentHeaderBytes = 32;
export const groupHeaderBytes = 32;
export const saltBytes = 8;
export const entryHeaderBytes = 15;

const SEGMENT_MAGIC = 0x3147_4c43; // "CLG1"
const GROUP_MAGIC = 0x3150_5247; // "GRP1"
const FORMAT_VERSION = 1;

/** A segment written by updates, or one that compaction wrote whole. */
export type SegmentKind = "normal" | "compacted";

export interface SegmentHeader {
  readonly segment: number;
  readonly kind: SegmentKind;
  /** Q: a directory made with another Q is another cluster's. */
  readonly partitions: number;
  /**
   * Random; every group of the segment repeats it. A recovery that searches for the next group must
   * not find one that a client wrote into a value.
   */
  readonly salt: Uint8Array;
}

/** `damaged`: no whole header. `unknown-format`: a whole one that this version cannot read. */
export type DecodedSegmentHeader = SegmentHeader | "damaged" | "unknown-format";

/** What an entry holds; the numbers are part of the format. */
export const entryKinds = {
  /** An encoded record (docs/internals/record-format.md). */
  record: 1,
  /** Actor in force from here on, and the counters reserved for it. */
  actor: 2,
  /** The last entry of a clean stop: actor, and the last counter it minted. */
  cleanStop: 3,
  /** The last entry of a compacted segment: without it the segment is not whole. */
  seal: 4,
  /** A token whose record was found damaged. */
  damaged: 5,
  /** A token that was refilled from all other owners. */
  refilled: 6,
  /** A record whose token another key's record has too: recovery must compare their keys. */
  besideRecord: 7,
  /** Tokens whose record was removed for good. */
  gone: 8,
  /** A partition whose records were all thrown away. */
  discarded: 9,
} as const;

export type EntryKind = (typeof entryKinds)[keyof typeof entryKinds];

export function isRecordKind(kind: number): kind is 1 | 7 {
  return kind === entryKinds.record || kind === entryKinds.besideRecord;
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const { segment, kind, partitions, salt } = header;
  const writer = new ByteWriter(segmentHeaderBytes);
  writer.u32(SEGMENT_MAGIC);
  writer.u32(FORMAT_VERSION);
  writer.u32(segment);
  writer.u32(kind === "normal" ? 0 : 1);
  writer.u32(partitions);
  writer.bytes(salt);
  const head = writer.finish();
  writer.u32(crc32c(head));
  return writer.finish();
}

export function decodeSegmentHeader(bytes: Uint8Array): DecodedSegmentHeader {
  const reader = new ByteReader(bytes, 0, Math.min(bytes.length, segmentHeaderBytes));
  const magic = reader.u32();
  const version = reader.u32();
  const segment = reader.u32();
  const kind = reader.u32();
  const partitions = reader.u32();
  const salt = reader.view(saltBytes).slice();
  const checksum = reader.u32();
  if (reader.failed || magic !== SEGMENT_MAGIC) return "damaged";
  if (crc32c(bytes, 0, segmentHeaderBytes - 4) !== checksum) return "damaged";
  if (version !== FORMAT_VERSION || kind > 1) return "unknown-format";
  return { segment, kind: kind === 0 ? "normal" : "compacted", partitions, salt };
}

export interface GroupHeader {
  /** Bytes of the entries that follow. */
  readonly length: number;
  /** Grows by one with every group of the log, whatever the segment. */
  readonly sequence: number;
  /** Of the first entry; in a normal segment the others follow it one by one. */
  readonly firstLsn: number;
  /** The segment's. */
  readonly salt: Uint8Array;
}

/** Writes a group's header into the room left for it at `at`. */
export function writeGroupHeader(target: Uint8Array, at: number, header: GroupHeader): void {
  const writer = new ByteWriter(groupHeaderBytes);
  writer.u32(GROUP_MAGIC);
  writer.u32(header.length);
  writer.u48(header.sequence);
  writer.u48(header.firstLsn);
  writer.bytes(header.salt);
  const head = writer.finish();
  writer.u32(crc32c(head));
  target.set(writer.finish(), at);
}

/** `undefined` when the bytes at `at` are no whole group header. */
export function decodeGroupHeader(bytes: Uint8Array, at: number): GroupHeader | undefined {
  if (at + groupHeaderBytes > bytes.length) return undefined;
  const reader = new ByteReader(bytes, at, at + groupHeaderBytes);
  if (reader.u32() !== GROUP_MAGIC) return undefined;
  const length = reader.u32();
  const sequence = reader.u48();
  const firstLsn = reader.u48();
  const salt = reader.view(saltBytes);
  return reader.u32() === crc32c(bytes, at, at + groupHeaderBytes - 4)
    ? { length, sequence, firstLsn, salt }
    : undefined;
}

/** Writes an entry at `at`, which has room for `entryHeaderBytes + body.length`. */
export function writeEntry(
  target: Uint8Array,
  at: number,
  entry: { readonly kind: EntryKind; readonly lsn: number; readonly body: Uint8Array },
): void {
  const { kind, lsn, body } = entry;
  const length = entryHeaderBytes - 8 + body.length;
  writeU32(target, at, length);
  target[at + 8] = kind;
  writeU32(target, at + 9, lsn % 0x1_0000_0000);
  const high = Math.floor(lsn / 0x1_0000_0000);
  target[at + 13] = high & 0xff;
  target[at + 14] = high >>> 8;
  target.set(body, at + entryHeaderBytes);
  writeU32(target, at + 4, crc32c(target, at + 8, at + 8 + length));
}

export interface Entry {
  readonly kind: number;
  readonly lsn: number;
  /** A view. */
  readonly body: Uint8Array;
  /** Bytes of the whole entry. */
  readonly length: number;
}

/** The entry at `at`, checked; `undefined` when it is damaged or does not end before `end`. */
export function decodeEntry(bytes: Uint8Array, at: number, end: number): Entry | undefined {
  const length = entryLengthAt(bytes, at, end);
  if (length === undefined) return undefined;
  const reader = new ByteReader(bytes, at + 4, at + length);
  const checksum = reader.u32();
  if (crc32c(bytes, at + 8, at + length) !== checksum) return undefined;
  const kind = reader.u8();
  const lsn = reader.u48();
  return { kind, lsn, body: reader.view(reader.remaining), length };
}

/** What an entry says of its own length, if that is possible at all. */
export function entryLengthAt(bytes: Uint8Array, at: number, end: number): number | undefined {
  if (at + entryHeaderBytes > end) return undefined;
  const length = 8 + new ByteReader(bytes, at, at + 4).u32();
  return length < entryHeaderBytes || at + length > end ? undefined : length;
}

function writeU32(target: Uint8Array, at: number, value: number): void {
  target[at] = value;
  target[at + 1] = value >>> 8;
  target[at + 2] = value >>> 16;
  target[at + 3] = value >>> 24;
}

const SEGMENT_NAME = /^log-(\d{8})\.seg$/u;

export function segmentName(segment: number): string {
  return `log-${segment.toString().padStart(8, "0")}.seg`;
}

/** The number in a segment's name; `undefined` for other files. */
export function segmentNumber(name: string): number | undefined {
  const digits = SEGMENT_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** A place in the log as one number: segment and offset. Unique for the life of a directory. */
export function placeOf(segment: number, offset: number): number {
  return segment * 0x1_0000_0000 + offset;
}

/** Pages of a segment that {@link pageOf} tells apart: 64 MiB of them, by far the usual size. */
const pagesMax = 2 ** 14;
const pageBytes = 4096;
/** Segments that it tells apart. */
const segmentsMax = 2 ** 18;

/** A place in the log as a number of 32 bits, in the log's order; roughly. */
export function pageOf(segment: number, offset: number): number {
  const page = Math.min(pagesMax - 1, Math.floor(offset / pageBytes));
  return (segment % segmentsMax) * pagesMax + page;
}
