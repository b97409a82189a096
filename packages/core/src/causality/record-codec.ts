import { type Digest, digest64 } from "../bytes/digest.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { utf8 } from "../bytes/text.ts";
import type { ActorId, WriteId } from "../ids.ts";
import { type Key, isBucketName, keyBytesMax } from "../key.ts";
import { limits } from "../limits.ts";
import {
  type CausalRecord,
  type DeadWrite,
  type Sibling,
  compareDots,
  compareSiblings,
} from "./record.ts";
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

export interface KeyedRecord extends Key {
  readonly record: CausalRecord;
}

export type DecodedRecord =
  | ({ readonly ok: true } & KeyedRecord)
  | { readonly ok: false; readonly reason: string };

/** Encodes a record with its key. Equal records have equal bytes. */
export function encodeRecord({ bucket, key }: Key, record: CausalRecord): Uint8Array {
  const body = new ByteWriter(128 + key.length + valueBytes(record));
  body.u8(RECORD_VERSION);
  body.u32(0);
  body.u8(bucket.length);
  body.ascii(bucket);
  body.lengthPrefixed(key);
  writeVector(body, record.clock);
  body.varint(record.siblings.length);
  for (const sibling of record.siblings) writeSibling(body, sibling);
  const digested = body.length - HEADER_BYTES;
  writeDeadWrites(body, record.deadWrites);
  const bytes = body.finish();
  new DataView(bytes.buffer).setUint32(1, digested, true);
  return bytes;
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
  const deadWrites = readDeadWrites(reader);
  if (reader.failed || reader.remaining > 0) return malformed("truncated or overlong");
  const record = { clock, siblings, deadWrites };
  const problem = checkCanonical(bucket, key, record);
  return problem === undefined ? { ok: true, bucket, key, record } : malformed(problem);
}

/** The key of an encoded record, without decoding the rest; `undefined` if it is malformed. */
export function decodeRecordKey(bytes: Uint8Array): Key | undefined {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== RECORD_VERSION) return undefined;
  reader.u32();
  const key = readKey(reader);
  return reader.failed ? undefined : key;
}

/** Digest of an encoded record's key, clock and siblings: what replicas compare. */
export function recordDigest(bytes: Uint8Array): Digest {
  const reader = new ByteReader(bytes, 1);
  return digest64(bytes, HEADER_BYTES, Math.min(bytes.length, HEADER_BYTES + reader.u32()));
}

export function writeVector(writer: ByteWriter, vector: VersionVector): void {
  writer.varint(vector.size);
  for (const dot of vector.entries()) writeDot(writer, dot);
}

/** Reads a vector; its entries must be sorted, without zeros, and not absurdly many or large. */
export function readVector(reader: ByteReader): VersionVector {
  const count = reader.varint();
  if (count > reader.remaining / (ACTOR_BYTES + 1)) reader.fail();
  const dots: Dot[] = [];
  for (let index = 0; index < count && !reader.failed; index += 1) dots.push(readDot(reader));
  if (!isAscending(dots.map((dot) => dot.actor))) reader.fail();
  return reader.failed ? VersionVector.empty : VersionVector.of(dots);
}

export function writeDeadWrites(writer: ByteWriter, writes: readonly DeadWrite[]): void {
  writer.varint(writes.length);
  for (const { writeId, writtenAtMs } of writes) {
    writer.hex(writeId);
    writer.u48(writtenAtMs);
  }
}

export function readDeadWrites(reader: ByteReader): readonly DeadWrite[] {
  const count = reader.varint();
  if (count > limits.deadWritesMax) reader.fail();
  const writes: DeadWrite[] = [];
  for (let index = 0; index < count && !reader.failed; index += 1) {
    const writeId = reader.hex(WRITE_ID_BYTES) as WriteId;
    writes.push({ writeId, writtenAtMs: reader.u48() });
  }
  if (!isAscending(writes.map((entry) => entry.writeId))) reader.fail();
  return writes;
}

function writeDot(writer: ByteWriter, dot: Dot): void {
  writer.hex(dot.actor);
  writer.varint(dot.counter);
}

function readDot(reader: ByteReader): Dot {
  const actor = reader.hex(ACTOR_BYTES) as ActorId;
  const counter = reader.varint();
  if (counter < 1 || counter > limits.counterMax) reader.fail();
  return { actor, counter };
}

function writeSibling(writer: ByteWriter, sibling: Sibling): void {
  writer.varint(sibling.dots.length);
  for (const dot of sibling.dots) writeDot(writer, dot);
  writer.u48(sibling.writtenAt.wallMs);
  writer.varint(sibling.writtenAt.logical);
  writer.u8(sibling.writeId === undefined ? 0 : 1);
  if (sibling.writeId !== undefined) writer.hex(sibling.writeId);
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
  if (flags > 1 || writtenAt.logical > 0xffff) reader.fail();
  const writeId = flags === 1 ? (reader.hex(WRITE_ID_BYTES) as WriteId) : undefined;
  const typeBytes = reader.varint();
  if (typeBytes > limits.contentTypeBytesMax) reader.fail();
  // Content types are ASCII (RFC 9110 section 8.3); a door refuses any other before it gets here.
  const contentType = reader.latin1(reader.failed ? 0 : typeBytes);
  const value = reader.lengthPrefixed();
  return { dots, value, contentType, writtenAt, writeId };
}

function readKey(reader: ByteReader): Key {
  const bucket = reader.latin1(reader.u8());
  const key = reader.lengthPrefixed();
  if (!isBucketName(bucket) || key.length < 1 || key.length > keyBytesMax) reader.fail();
  return { bucket, key };
}

function checkCanonical(bucket: string, key: Uint8Array, record: CausalRecord): string | undefined {
  if (!isBucketName(bucket) || key.length < 1) return "malformed key";
  const { siblings, clock } = record;
  for (const [at, sibling] of siblings.entries()) {
    const next = siblings[at + 1];
    if (next !== undefined && compareSiblings(sibling, next) >= 0) return "siblings out of order";
    const { dots } = sibling;
    if (!dots.every((dot) => clock.covers(dot))) return "a dot that the clock does not cover";
    const isSorted = dots.every((dot, index) => {
      const after = dots[index + 1];
      return after === undefined || compareDots(dot, after) < 0;
    });
    if (!isSorted) return "dots out of order";
  }
  return undefined;
}

function valueBytes(record: CausalRecord): number {
  let bytes = 0;
  for (const sibling of record.siblings) bytes += sibling.value.length + 64;
  return bytes;
}

function isAscending(texts: readonly string[]): boolean {
  return texts.every((text, at) => at === 0 || (texts[at - 1] as string) < text);
}

function malformed(reason: string): DecodedRecord {
  return { ok: false, reason };
}
