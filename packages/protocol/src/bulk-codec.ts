import type {
  FetchRequest,
  FetchedResponse,
  MergeAllRequest,
  MergedAllResponse,
  RecordOutcome,
  SentRecord,
} from "@coterie/cluster";
import type { Token } from "@coterie/core";
import { refusalNumber, refusalOf } from "./refusals.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

// Many records in one message (docs/internals/anti-entropy.md).

/** Tags of the fields 23 and 24 of an Operation. */
export const bulkTags = { fetch: 0xba, "merge-all": 0xc2 } as const;
/** Tags of the fields 17 and 18 of a Result. */
export const bulkAnswerTags = { fetched: 0x8a, "merged-all": 0x92 } as const;

/** Of one message; a longer one is malformed. */
const recordsMax = 65_536;
const halvesMax = 2 * recordsMax;
/** Of a record in a message: its length, and its fence. */
const recordBytesExtra = 8;
const fixedFieldsHint = 32;
/** An outcome that is at least this is a refusal. */
const refusedFrom = 2;

/** About how many bytes a request takes when encoded. */
export function bulkSizeHint(request: FetchRequest | MergeAllRequest): number {
  if (request.kind === "fetch") return fixedFieldsHint + request.tokens.length * 8;
  return fixedFieldsHint + recordBytes(request.records);
}

/** About how many bytes a response takes when encoded. */
export function bulkAnswerSizeHint(response: FetchedResponse | MergedAllResponse): number {
  if (response.kind === "merged-all") return fixedFieldsHint + response.outcomes.length;
  return fixedFieldsHint + recordBytes(response.records);
}

function recordBytes(records: readonly SentRecord[]): number {
  let bytes = 0;
  for (const { record } of records) bytes += recordBytesExtra + record.length;
  return bytes;
}

/** Writes what follows the stamp. */
export function writeBulkRequest(
  writer: WireWriter,
  request: FetchRequest | MergeAllRequest,
): void {
  if (request.kind === "fetch") {
    const halves: number[] = [];
    for (const { high, low } of request.tokens) halves.push(high, low);
    writer.packedFixed32(0x1a, halves);
    writer.uint(0x20, request.bytesMax);
  } else writeRecords(writer, request.records, 0x1a, 0x22);
}

export function writeBulkAnswer(
  writer: WireWriter,
  response: FetchedResponse | MergedAllResponse,
): void {
  if (response.kind === "fetched") {
    writer.uint(0x08, response.tokens);
    writeRecords(writer, response.records, 0x12, 0x1a);
  } else writer.packedUints(0x0a, response.outcomes.map(numberOf));
}

function writeRecords(
  writer: WireWriter,
  records: readonly SentRecord[],
  recordTag: number,
  fencesTag: number,
): void {
  for (const { record } of records) writer.bytes(recordTag, record);
  writer.packedUints(
    fencesTag,
    records.map(({ fence }) => fence),
  );
}

export function readFetch(reader: WireReader): FetchRequest {
  const stamp = { epoch: 0, tag: 0 };
  const halves: number[] = [];
  let bytesMax = 0;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) stamp.epoch = reader.uint();
    else if (tag === 0x15) stamp.tag = reader.fixed32();
    else if (tag === 0x1a) reader.packedFixed32(halves, halvesMax);
    else if (tag === 0x20) bytesMax = reader.uint();
    else reader.skip(tag);
  }
  if (halves.length % 2 !== 0) reader.fail();
  reader.leave(outer);
  const tokens = Array.from({ length: Math.floor(halves.length / 2) }, (_, at): Token => {
    return { high: halves[2 * at] as number, low: halves[2 * at + 1] as number };
  });
  return { kind: "fetch", stamp, tokens, bytesMax };
}

export function readMergeAll(reader: WireReader): MergeAllRequest {
  const stamp = { epoch: 0, tag: 0 };
  const records: Uint8Array[] = [];
  const fences: number[] = [];
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) stamp.epoch = reader.uint();
    else if (tag === 0x15) stamp.tag = reader.fixed32();
    else if (tag === 0x1a && records.length < recordsMax) records.push(reader.view());
    else if (tag === 0x22) reader.packedUints(fences, recordsMax);
    else reader.skip(tag);
  }
  if (records.length !== fences.length) reader.fail();
  reader.leave(outer);
  return { kind: "merge-all", stamp, records: sentRecords(records, fences) };
}

export function readFetched(reader: WireReader): FetchedResponse {
  let tokens = 0;
  const records: Uint8Array[] = [];
  const fences: number[] = [];
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) tokens = reader.uint();
    else if (tag === 0x12 && records.length < recordsMax) records.push(reader.view());
    else if (tag === 0x1a) reader.packedUints(fences, recordsMax);
    else reader.skip(tag);
  }
  if (records.length !== fences.length) reader.fail();
  reader.leave(outer);
  return { kind: "fetched", tokens, records: sentRecords(records, fences) };
}

export function readMergedAll(reader: WireReader): MergedAllResponse {
  const numbers: number[] = [];
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) reader.packedUints(numbers, recordsMax);
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "merged-all", outcomes: numbers.map(outcomeOf) };
}

function sentRecords(
  records: readonly Uint8Array[],
  fences: readonly number[],
): readonly SentRecord[] {
  return records.map((record, at) => ({ record, fence: fences[at] ?? 0 }));
}

function numberOf(outcome: RecordOutcome): number {
  if (outcome === "unchanged") return 0;
  return outcome === "changed" ? 1 : refusedFrom - 1 + refusalNumber(outcome);
}

function outcomeOf(number: number): RecordOutcome {
  if (number === 0) return "unchanged";
  return number === 1 ? "changed" : refusalOf(number - refusedFrom + 1);
}
