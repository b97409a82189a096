import type { Fence, MembershipMessage } from "@coterie/core";
import type { ListedEntry, PeerResponse, WrittenResponse } from "@coterie/cluster";
import {
  readDocumentResponse,
  readVote,
  writeDocumentResponse,
  writeVote,
} from "./agreement-codec.ts";
import {
  bulkAnswerSizeHint,
  bulkAnswerTags,
  readFetched,
  readMergedAll,
  writeBulkAnswer,
} from "./bulk-codec.ts";
import { hotAnswerSizeHint, hotAnswerTags, readHotKeys, writeHotKeys } from "./hot-codec.ts";
import { refusalNumber, refusalOf } from "./refusals.ts";
import { listedEntryHint, readListedEntry, writeListedEntry } from "./listed-entry.ts";
import { announcementSizeHint, readAnnouncement, writeAnnouncement } from "./announcement-codec.ts";
import { membershipSizeHint, readMembership, writeMembership } from "./membership-codec.ts";
import {
  comparedSizeHint,
  comparedTag,
  lookedSizeHint,
  lookedTag,
  readCompared,
  readLooked,
  writeTreeAnswer,
} from "./tree-codec.ts";
import {
  fenceOf,
  readFenceRaised,
  readFences,
  reapingAnswerTags,
  writeReapingAnswer,
} from "./reaping-codec.ts";
import { readVersion, versionTags, writeVersion } from "./version-codec.ts";
import { readLevels, writeLevels } from "./levels-codec.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Of one response; a list longer than this is malformed. */
const elementsMax = 65_536;
/** Messages that one may answer at once: a table comes in parts. */
const answersMax = 64;

const responseTags = {
  merged: 0x12,
  present: 0x1a,
  absent: 0x22,
  unknown: 0x2a,
  found: 0x32,
  listed: 0x3a,
  written: 0x42,
  announced: 0x4a,
  refused: 0x52,
  promised: 0x5a,
  accepted: 0x62,
  outbid: 0x6a,
  document: 0x72,
  membership: 0x7a,
  levels: 0xf2,
  compared: comparedTag,
  looked: lookedTag,
  ...reapingAnswerTags,
  ...bulkAnswerTags,
  ...hotAnswerTags,
  ...versionTags,
} as const;

/** About how many bytes `response` takes when encoded; never far below. */
export function responseSizeHint(response: PeerResponse): number {
  switch (response.kind) {
    case "merged":
    case "absent":
    case "unknown":
    case "accepted":
    case "reaped":
      return 4;
    case "fence-raised":
      return 16 + response.lacking.length * 2;
    case "fences":
      return 8 + response.fences.length * 2;
    case "present":
      return 6 + response.record.length;
    case "found":
      return response.records.reduce((sum, record) => sum + 6 + record.length, 0);
    case "listed":
      return response.entries.length * listedEntryHint;
    case "compared":
      return comparedSizeHint(response);
    case "looked":
      return lookedSizeHint(response);
    case "fetched":
    case "merged-all":
      return bulkAnswerSizeHint(response);
    case "hot-keys":
      return hotAnswerSizeHint(response);
    case "written":
      return 24 + (response.context?.length ?? 0) + (response.record?.length ?? 0);
    case "announced":
      return announcementSizeHint(response.announcement);
    case "version":
    case "outbid":
    case "levels":
      return 24;
    case "promised":
      return 32 + response.document.length;
    case "document":
      return 16 + (response.document?.length ?? 0);
    case "membership":
      return response.messages.reduce((sum, message) => sum + membershipSizeHint(message), 0);
    case "refused":
      break;
  }
  return 16 + response.message.length;
}

/** Writes the `response` field of a Result. */
export function writeResponse(writer: WireWriter, response: PeerResponse, sizeHint: number): void {
  const start = writer.open(responseTags[response.kind], sizeHint);
  switch (response.kind) {
    case "merged":
      writer.bool(0x08, response.changed);
      break;
    case "present":
    case "absent":
    case "version":
      writeReadAnswer(writer, response);
      break;
    case "found":
      for (const record of response.records) writer.bytes(0x0a, record);
      writeFence(writer, response.fence);
      break;
    case "listed":
      for (const entry of response.entries) writeListedEntry(writer, 0x0a, entry);
      break;
    case "compared":
    case "looked":
      writeTreeAnswer(writer, response);
      break;
    case "fetched":
    case "merged-all":
      writeBulkAnswer(writer, response);
      break;
    case "written":
      writeWritten(writer, response);
      break;
    case "announced":
      writeAnnouncement(writer, response.announcement);
      break;
    case "membership":
      for (const message of response.messages) writeMembership(writer, 0x0a, message);
      break;
    case "refused":
      writer.uint(0x08, refusalNumber(response.code));
      writer.bool(0x10, response.outcome === "unknown");
      writer.textOrDefault(0x1a, response.message);
      writer.uint(0x20, response.primaries);
      writer.uint(0x28, response.fallbacks);
      break;
    case "promised":
      writeVote(writer, response.ballot, response.document);
      break;
    case "outbid":
      writeVote(writer, response.ballot);
      break;
    case "document":
      writeDocumentResponse(writer, response);
      break;
    case "fence-raised":
    case "fences":
      writeReapingAnswer(writer, response);
      break;
    case "levels":
      writeLevels(writer, response.levels);
      break;
    case "hot-keys":
      writeHotKeys(writer, response);
      break;
    case "unknown":
    case "accepted":
    case "reaped":
      break;
  }
  writer.close(start, sizeHint);
}

function writeReadAnswer(
  writer: WireWriter,
  response: PeerResponse & { readonly kind: "present" | "absent" | "version" },
): void {
  if (response.kind === "version") return writeVersion(writer, response);
  if (response.kind === "present") writer.bytesOrDefault(0x0a, response.record);
  writeFence(writer, response.fence);
}

function writeWritten(writer: WireWriter, response: WrittenResponse): void {
  if (response.context !== undefined) writer.text(0x0a, response.context);
  writer.uint(0x10, response.siblings);
  writer.uint(0x18, response.primaries);
  if (response.record !== undefined) writer.bytes(0x22, response.record);
  writer.uint(0x28, response.fallbacks);
}

/** In the fields 2 and 3 of whatever was read. */
function writeFence(writer: WireWriter, { raised, reaped }: Fence): void {
  writer.uint(0x10, raised);
  writer.uint(0x18, reaped);
}

/** Reads the response whose field has `tag`; `undefined` when no response has it. */
export function readResponse(reader: WireReader, tag: number): PeerResponse | undefined {
  switch (tag) {
    case responseTags.merged:
      return { kind: "merged", changed: readMerged(reader) };
    case responseTags.present:
      return readPresent(reader);
    case responseTags.absent:
      return readAbsent(reader);
    case responseTags.unknown:
      readEmpty(reader);
      return { kind: "unknown" };
    case responseTags.found:
      return readFound(reader);
    case responseTags.listed:
      return { kind: "listed", entries: readListed(reader) };
    case responseTags.compared:
      return readCompared(reader);
    case responseTags.looked:
      return readLooked(reader);
    case responseTags.fetched:
      return readFetched(reader);
    case responseTags["merged-all"]:
      return readMergedAll(reader);
    case responseTags.written:
      return readWritten(reader);
    case responseTags.announced:
      return { kind: "announced", announcement: readAnnouncement(reader) };
    case responseTags.membership:
      return { kind: "membership", messages: readAnswers(reader) };
    case responseTags.refused:
      return readRefused(reader);
    case responseTags.promised:
      return { kind: "promised", ...readVote(reader, true) };
    case responseTags.accepted:
      readEmpty(reader);
      return { kind: "accepted" };
    case responseTags.outbid:
      return { kind: "outbid", ballot: readVote(reader, false).ballot };
    case responseTags.document:
      return readDocumentResponse(reader);
    case responseTags["fence-raised"]:
      return readFenceRaised(reader);
    case responseTags.levels:
      return { kind: "levels", levels: readLevels(reader) };
    case responseTags.reaped:
      readEmpty(reader);
      return { kind: "reaped" };
    case responseTags.fences:
      return readFences(reader);
    case responseTags["hot-keys"]:
      return readHotKeys(reader);
    case responseTags.version:
      return readVersion(reader);
    default:
      return undefined;
  }
}

function readMerged(reader: WireReader): boolean {
  let changed = false;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) changed = reader.bool();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return changed;
}

function readPresent(reader: WireReader): PeerResponse {
  let record: Uint8Array = new Uint8Array(0);
  let raised = 0;
  let reaped = 0;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) record = reader.view();
    else if (tag === 0x10) raised = reader.uint();
    else if (tag === 0x18) reaped = reader.uint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "present", record, fence: fenceOf(raised, reaped) };
}

function readAbsent(reader: WireReader): PeerResponse {
  let raised = 0;
  let reaped = 0;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x10) raised = reader.uint();
    else if (tag === 0x18) reaped = reader.uint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "absent", fence: fenceOf(raised, reaped) };
}

function readEmpty(reader: WireReader): void {
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) reader.skip(tag);
  reader.leave(outer);
}

function readFound(reader: WireReader): PeerResponse {
  const records: Uint8Array[] = [];
  let raised = 0;
  let reaped = 0;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a && records.length < elementsMax) records.push(reader.view());
    else if (tag === 0x10) raised = reader.uint();
    else if (tag === 0x18) reaped = reader.uint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "found", records, fence: fenceOf(raised, reaped) };
}

function readListed(reader: WireReader): readonly ListedEntry[] {
  const entries: ListedEntry[] = [];
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a && entries.length < elementsMax) entries.push(readListedEntry(reader));
    else reader.skip(tag);
  }
  reader.leave(outer);
  return entries;
}

function readAnswers(reader: WireReader): readonly MembershipMessage[] {
  const messages: MembershipMessage[] = [];
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a && messages.length < answersMax) messages.push(readMembership(reader));
    else reader.skip(tag);
  }
  reader.leave(outer);
  return messages;
}

function readWritten(reader: WireReader): PeerResponse {
  const counts = { siblings: 0, primaries: 0, fallbacks: 0 };
  let context: string | undefined;
  let record: Uint8Array | undefined;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) context = reader.text();
    else if (tag === 0x10) counts.siblings = reader.uint();
    else if (tag === 0x18) counts.primaries = reader.uint();
    else if (tag === 0x22) record = reader.view();
    else if (tag === 0x28) counts.fallbacks = reader.uint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "written", context, ...counts, record };
}

function readRefused(reader: WireReader): PeerResponse {
  const refused = { code: 0, isOutcomeUnknown: false, message: "" };
  const acks = { primaries: 0, fallbacks: 0 };
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) refused.code = reader.uint();
    else if (tag === 0x10) refused.isOutcomeUnknown = reader.bool();
    else if (tag === 0x1a) refused.message = reader.text();
    else if (tag === 0x20) acks.primaries = reader.uint();
    else if (tag === 0x28) acks.fallbacks = reader.uint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return {
    kind: "refused",
    code: refusalOf(refused.code),
    outcome: refused.isOutcomeUnknown ? "unknown" : "refused",
    message: refused.message,
    ...acks,
  };
}
