import { type Digest, digest64 } from "../bytes/digest.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { isLatin1Of } from "../bytes/interned.ts";
import { utf8 } from "../bytes/text.ts";
import { decodeUtf8 } from "../bytes/utf8-decode.ts";
import type { ActorId, WriteId } from "../ids.ts";
import { type Key, isBucketName, keyBytesMax } from "../key.ts";
import { limits } from "../limits.ts";
import { invariant } from "../invariant.ts";
import { type CausalRecord, type Sibling, compareDots, compareSiblings } from "./record.ts";
import { isWide } from "./cut-clock.ts";
import { DeadWrites } from "./dead-writes.ts";
import { type NextDeadline, earlierDeadline, isSpent } from "./expiry.ts";
import { type Dot, VersionVector } from "./version-vector.ts";

// The bytes of a record: the same in the log, on the wire, and for every replica that holds the
// same record. Specified in docs/internals/record-format.md. In short:
//   u8 version, u32 length of the digested part, then the digested part:
//     bucket (u8 length), key (varint length), vector, siblings;
//   then the dead write ids, which the digest leaves out.

const RECORD_VERSION = 1;
const HEADER_BYTES = 5;
const ACTOR_BYTES = 8;
const WRITE_ID_BYTES = 16;
/** What a sibling's flags say: which fields follow them. */
const HAS_WRITE_ID = 1;
const HAS_DEADLINE = 2;

export interface KeyedRecord extends Key {
  readonly record: CausalRecord;
}

export type DecodedRecord =
  | ({ readonly ok: true } & KeyedRecord)
  | { readonly ok: false; readonly reason: string };

/** Used for one record after the other: what it holds is copied before anybody else runs. */
const body: ByteWriter = new ByteWriter(1024);

/** Encodes a record with its key. Equal records have equal bytes. */
export function encodeRecord({ bucket, key }: Key, record: CausalRecord): Uint8Array {
  body.reset();
  body.u8(RECORD_VERSION);
  body.u32(0);
  body.u8(bucket.length);
  body.ascii(bucket);
  body.lengthPrefixed(key);
  writeVector(body, record.clock);
  body.varint(record.siblings.length);
  for (const sibling of record.siblings) writeSibling(body, sibling);
  const digested = body.length - HEADER_BYTES;
  record.deadWrites.write(body);
  body.setU32(1, digested);
  return body.finish();
}

/** Decodes and checks a record: what is not canonical is refused, values are views of `bytes`. */
export function decodeRecord(bytes: Uint8Array): DecodedRecord {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== RECORD_VERSION) return malformed("unknown record version");
  const digested = reader.u32();
  const { bucket, key } = readKey(reader);
  const clock = readVector(reader);
  const count = reader.varint();
  const siblings: Sibling[] = [];
  for (let index = 0; index < count && !reader.failed; index += 1) {
    siblings.push(readSibling(reader));
  }
  if (reader.position !== HEADER_BYTES + digested) return malformed("wrong digest length");
  const deadWrites = DeadWrites.read(reader);
  if (reader.failed || reader.remaining > 0) return malformed("truncated or overlong");
  const record = { clock, siblings, deadWrites };
  const problem = whyNotCanonical(record);
  return problem === undefined ? { ok: true, bucket, key, record } : malformed(problem);
}

/** The record in bytes that {@link encodeRecord} made, or that were decoded before. */
export function decodeOwnRecord(bytes: Uint8Array): CausalRecord {
  const reader = new ByteReader(bytes, HEADER_BYTES);
  skipKey(reader);
  const clock = readVector(reader);
  const siblings: Sibling[] = [];
  for (let left = reader.varint(); left > 0 && !reader.failed; left -= 1) {
    siblings.push(readSibling(reader));
  }
  const deadWrites = DeadWrites.read(reader);
  invariant(!reader.failed && reader.remaining === 0, "these bytes were made, or checked, here");
  return { clock, siblings, deadWrites };
}

/** The key of an encoded record, without decoding the rest; `undefined` if it is malformed. */
export function decodeRecordKey(bytes: Uint8Array): Key | undefined {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== RECORD_VERSION) return undefined;
  reader.u32();
  const key = readKey(reader);
  return reader.failed ? undefined : key;
}

/** True of a record that {@link encodeRecord} made of this key; nothing is decoded. */
export function isRecordOf(bytes: Uint8Array, { bucket, key }: Key): boolean {
  const bucketAt = HEADER_BYTES + 1;
  const bucketEnd = bucketAt + bucket.length;
  if (bytes[0] !== RECORD_VERSION || bytes[HEADER_BYTES] !== bucket.length) return false;
  if (!isLatin1Of(bucket, bytes, bucketAt, bucketEnd)) return false;
  // A key's length is a varint of one byte or two.
  const { length } = key;
  const isShort = length < 0x80;
  const keyAt = bucketEnd + (isShort ? 1 : 2);
  if (bytes[bucketEnd] !== (isShort ? length : (length & 0x7f) | 0x80)) return false;
  if (!isShort && bytes[bucketEnd + 1] !== length >> 7) return false;
  if (bytes.length < keyAt + length) return false;
  for (let at = 0; at < length; at += 1) if (bytes[keyAt + at] !== key[at]) return false;
  return true;
}

/** {@link nextDeadlineMs} of an encoded record, without decoding the rest. */
export function recordDeadlineMs(bytes: Uint8Array): NextDeadline {
  const reader = new ByteReader(bytes, HEADER_BYTES);
  skipKey(reader);
  skipDots(reader);
  let next: NextDeadline = "empty";
  for (let left = reader.varint(); left > 0 && !reader.failed; left -= 1) {
    skipDots(reader);
    reader.u48();
    reader.varint();
    const flags = reader.u8();
    if ((flags & HAS_WRITE_ID) !== 0) reader.skip(WRITE_ID_BYTES);
    const expiresAtMs = (flags & HAS_DEADLINE) === 0 ? undefined : reader.u48();
    next = earlierDeadline(next, expiresAtMs);
    reader.skip(reader.varint());
    reader.skip(reader.varint());
  }
  return next;
}

/** {@link isWide} of an encoded record, which is decoded only if its clock is long enough. */
export function isRecordWide(bytes: Uint8Array, copies: number): boolean {
  const reader = new ByteReader(bytes, HEADER_BYTES);
  skipKey(reader);
  if (reader.varint() <= copies) return false;
  const decoded = decodeRecord(bytes);
  return decoded.ok && isWide(decoded.record, copies);
}

function skipKey(reader: ByteReader): void {
  reader.skip(reader.u8());
  reader.skip(reader.varint());
}

function skipDots(reader: ByteReader): void {
  for (let left = reader.varint(); left > 0 && !reader.failed; left -= 1) {
    reader.skip(ACTOR_BYTES);
    reader.varint();
  }
}

/** Digest of an encoded record's key, clock and siblings: what replicas compare. */
export function recordDigest(bytes: Uint8Array): Digest {
  const reader = new ByteReader(bytes, 1);
  return digest64(bytes, HEADER_BYTES, Math.min(bytes.length, HEADER_BYTES + reader.u32()));
}

export function writeVector(writer: ByteWriter, vector: VersionVector): void {
  writer.varint(vector.size);
  for (let index = 0; index < vector.size; index += 1) {
    writer.hex(vector.actorAt(index));
    writer.varint(vector.counterAt(index));
  }
}

/** Reads a vector; its entries must be sorted, without zeros, and not absurdly many or large. */
export function readVector(reader: ByteReader): VersionVector {
  const count = reader.varint();
  if (count > reader.remaining / (ACTOR_BYTES + 1)) reader.fail();
  const actors: ActorId[] = [];
  const counters: number[] = [];
  for (let index = 0; index < count && !reader.failed; index += 1) {
    actors.push(reader.internedHexOfEight() as ActorId);
    counters.push(readCounter(reader));
    if (index > 0 && (actors[index - 1] as string) >= (actors[index] as string)) reader.fail();
  }
  return reader.failed ? VersionVector.empty : VersionVector.ofSorted(actors, counters);
}

function readCounter(reader: ByteReader): number {
  const counter = reader.varint();
  if (counter < 1 || counter > limits.counterMax) reader.fail();
  return counter;
}

function writeDot(writer: ByteWriter, dot: Dot): void {
  writer.hex(dot.actor);
  writer.varint(dot.counter);
}

function readDot(reader: ByteReader): Dot {
  return { actor: reader.internedHexOfEight() as ActorId, counter: readCounter(reader) };
}

function writeSibling(writer: ByteWriter, sibling: Sibling): void {
  writer.varint(sibling.dots.length);
  for (const dot of sibling.dots) writeDot(writer, dot);
  writer.u48(sibling.writtenAt.wallMs);
  writer.varint(sibling.writtenAt.logical);
  const { writeId, expiresAtMs } = sibling;
  const idFlag = writeId === undefined ? 0 : HAS_WRITE_ID;
  writer.u8(idFlag | (expiresAtMs === undefined ? 0 : HAS_DEADLINE));
  if (writeId !== undefined) writer.hex(writeId);
  if (expiresAtMs !== undefined) writer.u48(expiresAtMs);
  writer.lengthPrefixed(utf8(sibling.contentType));
  writer.lengthPrefixed(sibling.value);
}

function readSibling(reader: ByteReader): Sibling {
  const count = reader.varint();
  if (count < 1 || count > reader.remaining / (ACTOR_BYTES + 1)) reader.fail();
  const dots: Dot[] = [];
  for (let index = 0; index < count && !reader.failed; index += 1) dots.push(readDot(reader));
  const writtenAt = { wallMs: reader.u48(), logical: reader.varint() };
  const flags = reader.u8();
  if (flags > (HAS_WRITE_ID | HAS_DEADLINE) || writtenAt.logical > 0xffff) reader.fail();
  const hasWriteId = (flags & HAS_WRITE_ID) !== 0;
  const writeId = hasWriteId ? (reader.hex(WRITE_ID_BYTES) as WriteId) : undefined;
  const expiresAtMs = (flags & HAS_DEADLINE) === 0 ? undefined : reader.u48();
  const contentType = readContentType(reader);
  const value = reader.lengthPrefixed();
  return { dots, value, contentType, writtenAt, writeId, expiresAtMs };
}

/** A door limits the characters of a content type; each is at most three bytes of UTF-8. */
function readContentType(reader: ByteReader): string {
  const length = reader.varint();
  if (length === 0) return "";
  const bytes = reader.view(length);
  const text = decodeUtf8(bytes);
  if (text === undefined || bytes.length > limits.contentTypeBytesMax * 3) reader.fail();
  return text ?? "";
}

function readKey(reader: ByteReader): Key {
  const bucket = reader.internedLatin1(reader.u8());
  const key = reader.lengthPrefixed();
  if (!isBucketName(bucket) || key.length < 1 || key.length > keyBytesMax) reader.fail();
  return { bucket, key };
}

/** Merging relies on this: a record that breaks it was not written by {@link encodeRecord}. */
function whyNotCanonical({ clock, siblings, deadWrites }: CausalRecord): string | undefined {
  for (let at = 0; at < siblings.length; at += 1) {
    const sibling = siblings[at] as Sibling;
    const next = siblings[at + 1];
    if (next !== undefined && compareSiblings(sibling, next) >= 0) return "siblings out of order";
    if (deadWrites.isDead(sibling.writeId)) return "a sibling whose write is dead";
    if (isSpent(sibling) && sibling.value.length + sibling.contentType.length > 0) {
      return "a spent sibling that has a value";
    }
    for (let index = 0; index < sibling.dots.length; index += 1) {
      const dot = sibling.dots[index] as Dot;
      if (!clock.covers(dot)) return "a dot that the clock does not cover";
      const after = sibling.dots[index + 1];
      if (after !== undefined && compareDots(dot, after) >= 0) return "dots out of order";
    }
  }
  return siblings.length > 1 ? whyNotDistinct(siblings) : undefined;
}

/** Of siblings in their order, whose first dots therefore differ. */
function whyNotDistinct(siblings: readonly Sibling[]): string | undefined {
  const hasMore = siblings.some(({ dots }) => dots.length > 1);
  if (hasMore && hasSharedDot(siblings)) return "two siblings under one dot";
  const writeIds = new Set<WriteId>();
  for (const { writeId } of siblings) {
    if (writeId === undefined) continue;
    if (writeIds.has(writeId)) return "two siblings of one write";
    writeIds.add(writeId);
  }
  return undefined;
}

function hasSharedDot(siblings: readonly Sibling[]): boolean {
  const names = new Set<string>();
  for (const { dots } of siblings) {
    for (const { actor, counter } of dots) {
      const name = `${actor}:${counter}`;
      if (names.has(name)) return true;
      names.add(name);
    }
  }
  return false;
}

function malformed(reason: string): DecodedRecord {
  return { ok: false, reason };
}
