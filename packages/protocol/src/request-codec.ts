import { type RequestMode, parseWriteId } from "@coterie/core";
import type {
  DataRequest,
  FindRequest,
  ForwardedDelete,
  ForwardedPut,
  ListRequest,
  MembershipRequest,
  MergeRequest,
  PeerRequest,
  ReadRequest,
  SparedRecord,
} from "@coterie/cluster";
import {
  readAccept,
  readAsk,
  readPrepare,
  readTell,
  writeDocumentRequest,
} from "./agreement-codec.ts";
import { announcementSizeHint, readAnnouncement, writeAnnouncement } from "./announcement-codec.ts";
import { hintTags, readHint, readReadHint, writeHintRequest } from "./hint-codec.ts";
import {
  membershipSizeHint,
  noMessage,
  readMembership,
  writeMembership,
} from "./membership-codec.ts";
import { hotTags } from "./hot-codec.ts";
import { bulkSizeHint, bulkTags, readFetch, readMergeAll, writeBulkRequest } from "./bulk-codec.ts";
import { readCompare, readLook, treeSizeHint, treeTags, writeTreeRequest } from "./tree-codec.ts";
import { readRaiseFence, readReap, reapingTags, writeReapingRequest } from "./reaping-codec.ts";
import { listedEntryHint } from "./listed-entry.ts";
import { readSpared, sparedHint, sparedTag, writeSpared } from "./version-codec.ts";
import { readStamp } from "./read-stamp.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Bytes of a request's fields other than its texts and byte strings, roughly. */
const fixedFieldsHint = 24;

/** About how many bytes `request` takes when encoded; never far below. */
export function requestSizeHint(request: PeerRequest): number {
  switch (request.kind) {
    case "merge":
      return fixedFieldsHint + request.record.length;
    case "hint":
      return fixedFieldsHint + request.target.length + request.record.length;
    case "read":
      return fixedFieldsHint + request.bucket.length + request.key.length + sparedHint;
    case "read-hint":
      return fixedFieldsHint + request.bucket.length + request.key.length;
    case "find":
    case "list":
    case "ask-fences":
    case "ask-hot-keys":
    case "ask-levels":
      return fixedFieldsHint;
    case "compare":
    case "look":
      return treeSizeHint(request);
    case "fetch":
    case "merge-all":
      return bulkSizeHint(request);
    case "raise-fence":
    case "reap":
      return fixedFieldsHint + request.entries.length * listedEntryHint;
    case "put":
      return (
        fixedFieldsHint * 2 +
        request.bucket.length +
        request.key.length +
        request.value.length +
        request.contentType.length +
        (request.context?.length ?? 0)
      );
    case "delete":
      return fixedFieldsHint + request.bucket.length + request.key.length + request.context.length;
    case "prepare":
    case "ask":
      return fixedFieldsHint * 3;
    case "accept":
    case "tell":
      return fixedFieldsHint * 3 + request.document.length;
    case "membership":
      return fixedFieldsHint + membershipSizeHint(request.message);
    case "announce":
      break;
  }
  return announcementSizeHint(request.announcement);
}

/** Writes the `request` field of an Operation. */
export function writeRequest(writer: WireWriter, request: PeerRequest, sizeHint: number): void {
  const start = writer.open(requestTags[request.kind], sizeHint);
  if (request.kind === "ask-levels") {
    writer.close(start, sizeHint);
    return;
  }
  if (request.kind === "announce") writeAnnouncement(writer, request.announcement);
  else if (request.kind === "membership") {
    writer.fixed32OrDefault(0x0d, request.cluster);
    writeMembership(writer, 0x12, request.message);
  } else if ("stamp" in request) {
    writer.uint(0x08, request.stamp.epoch);
    writer.fixed32OrDefault(0x15, request.stamp.tag);
    writeStamped(writer, request);
  } else writeDocumentRequest(writer, request);
  writer.close(start, sizeHint);
}

const requestTags = {
  merge: 0x1a,
  read: 0x22,
  find: 0x2a,
  list: 0x32,
  put: 0x3a,
  delete: 0x42,
  announce: 0x4a,
  prepare: 0x52,
  accept: 0x5a,
  tell: 0x62,
  ask: 0x6a,
  "ask-levels": 0xf2,
  membership: 0x72,
  ...hintTags,
  ...treeTags,
  ...reapingTags,
  ...bulkTags,
  ...hotTags,
} as const;

function writeStamped(writer: WireWriter, request: DataRequest): void {
  switch (request.kind) {
    case "merge":
      writer.bytesOrDefault(0x1a, request.record);
      writer.uint(0x20, request.fence);
      return;
    case "read":
      writer.textOrDefault(0x1a, request.bucket);
      writer.bytesOrDefault(0x22, request.key);
      if (request.spared !== undefined) writeSpared(writer, request.spared);
      return;
    case "find":
      writer.uint(0x18, request.partition);
      writer.fixed32OrDefault(0x25, request.token.high);
      writer.fixed32OrDefault(0x2d, request.token.low);
      writer.bool(0x30, request.evenIfDamaged);
      return;
    case "list":
      writer.uint(0x18, request.partition);
      writer.uint(0x20, request.limit);
      if (request.after !== undefined) {
        writer.fixed32(0x2d, request.after.high);
        writer.fixed32(0x35, request.after.low);
      }
      writer.bool(0x38, request.evenIfDamaged);
      writer.bool(0x40, request.skipsEmpty);
      return;
    case "hint":
    case "read-hint":
      writeHintRequest(writer, request);
      return;
    case "compare":
    case "look":
      writeTreeRequest(writer, request);
      return;
    case "raise-fence":
    case "reap":
    case "ask-fences":
      writeReapingRequest(writer, request);
      return;
    case "ask-hot-keys":
      return;
    case "fetch":
    case "merge-all":
      writeBulkRequest(writer, request);
      return;
    case "put":
      writePut(writer, request);
      return;
    case "delete":
      writer.textOrDefault(0x1a, request.bucket);
      writer.bytesOrDefault(0x22, request.key);
      writer.textOrDefault(0x2a, request.context);
      writer.uint(0x30, request.w);
      writer.uint(0x38, request.pw);
      writer.bool(0x40, request.mode === "sloppy");
  }
}

function writePut(writer: WireWriter, request: ForwardedPut): void {
  writer.textOrDefault(0x1a, request.bucket);
  writer.bytesOrDefault(0x22, request.key);
  writer.bytesOrDefault(0x2a, request.value);
  writer.textOrDefault(0x32, request.contentType);
  if (request.context !== undefined) writer.text(0x3a, request.context);
  if (request.writeId !== undefined) writer.hex(0x42, request.writeId);
  writer.uint(0x48, request.w);
  writer.uint(0x50, request.pw);
  writer.bool(0x58, request.returnBody);
  writer.doubleIfSet(0x61, request.ttlMs);
  writer.doubleIfSet(0x69, request.expiresAtMs);
  writer.bool(0x70, request.mode === "sloppy");
}

/**
 * Reads the request whose field has `tag`; `undefined` when no request has it, and then nothing
 * was read. The caller checks {@link WireReader.failed}.
 */
export function readRequest(reader: WireReader, tag: number): PeerRequest | undefined {
  switch (tag) {
    case requestTags.merge:
      return readMerge(reader);
    case requestTags.read:
      return readRead(reader);
    case requestTags.find:
      return readFind(reader);
    case requestTags.list:
      return readList(reader);
    case requestTags.put:
      return readPut(reader);
    case requestTags.delete:
      return readDelete(reader);
    case requestTags.announce:
      return { kind: "announce", announcement: readAnnouncement(reader) };
    case requestTags.prepare:
      return readPrepare(reader);
    case requestTags.accept:
      return readAccept(reader);
    case requestTags.tell:
      return readTell(reader);
    case requestTags.ask:
      return readAsk(reader);
    case requestTags["ask-levels"]:
      reader.leave(reader.enter());
      return { kind: "ask-levels" };
    case requestTags.membership:
      return readMembershipRequest(reader);
    case requestTags.hint:
      return readHint(reader);
    case requestTags["read-hint"]:
      return readReadHint(reader);
    case requestTags.compare:
      return readCompare(reader);
    case requestTags.look:
      return readLook(reader);
    case requestTags["raise-fence"]:
      return readRaiseFence(reader);
    case requestTags.reap:
      return readReap(reader);
    case requestTags["ask-fences"]:
      return { kind: "ask-fences", stamp: readStamp(reader) };
    case requestTags.fetch:
      return readFetch(reader);
    case requestTags["merge-all"]:
      return readMergeAll(reader);
    case requestTags["ask-hot-keys"]:
      return { kind: "ask-hot-keys", stamp: readStamp(reader) };
    default:
      return undefined;
  }
}

function readMembershipRequest(reader: WireReader): MembershipRequest {
  let cluster = 0;
  let message: MembershipRequest["message"] | undefined;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0d) cluster = reader.fixed32();
    else if (tag === 0x12) message = readMembership(reader);
    else reader.skip(tag);
  }
  if (message === undefined) reader.fail();
  reader.leave(outer);
  return { kind: "membership", cluster, message: message ?? noMessage };
}

function readMerge(reader: WireReader): MergeRequest {
  let epoch = 0;
  let stampTag = 0;
  let record: Uint8Array = new Uint8Array(0);
  let fence = 0;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) epoch = reader.uint();
    else if (tag === 0x15) stampTag = reader.fixed32();
    // The store and its cache keep these very bytes.
    else if (tag === 0x1a) record = reader.view();
    else if (tag === 0x20) fence = reader.uint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "merge", stamp: { epoch, tag: stampTag }, fence, record };
}

function readRead(reader: WireReader): ReadRequest {
  let epoch = 0;
  let stampTag = 0;
  let bucket = "";
  let spared: SparedRecord | undefined;
  let key: Uint8Array = new Uint8Array(0);
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) epoch = reader.uint();
    else if (tag === 0x15) stampTag = reader.fixed32();
    else if (tag === 0x1a) bucket = reader.text();
    else if (tag === 0x22) key = reader.view();
    else if (tag === sparedTag) spared = readSpared(reader);
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "read", stamp: { epoch, tag: stampTag }, bucket, key, spared };
}

function readFind(reader: WireReader): FindRequest {
  const stamp = { epoch: 0, tag: 0 };
  const token = { high: 0, low: 0 };
  let partition = 0;
  let evenIfDamaged = false;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) stamp.epoch = reader.uint();
    else if (tag === 0x15) stamp.tag = reader.fixed32();
    else if (tag === 0x18) partition = reader.uint();
    else if (tag === 0x25) token.high = reader.fixed32();
    else if (tag === 0x2d) token.low = reader.fixed32();
    else if (tag === 0x30) evenIfDamaged = reader.bool();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "find", stamp, partition, token, evenIfDamaged };
}

function readList(reader: WireReader): ListRequest {
  const stamp = { epoch: 0, tag: 0 };
  let partition = 0;
  let limit = 0;
  let high: number | undefined;
  let low: number | undefined;
  let evenIfDamaged = false;
  let skipsEmpty = false;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) stamp.epoch = reader.uint();
    else if (tag === 0x15) stamp.tag = reader.fixed32();
    else if (tag === 0x18) partition = reader.uint();
    else if (tag === 0x20) limit = reader.uint();
    else if (tag === 0x2d) high = reader.fixed32();
    else if (tag === 0x35) low = reader.fixed32();
    else if (tag === 0x38) evenIfDamaged = reader.bool();
    else if (tag === 0x40) skipsEmpty = reader.bool();
    else reader.skip(tag);
  }
  if ((high === undefined) !== (low === undefined)) reader.fail();
  reader.leave(outer);
  const after = high === undefined || low === undefined ? undefined : { high, low };
  return { kind: "list", stamp, partition, after, limit, evenIfDamaged, skipsEmpty };
}

function readPut(reader: WireReader): ForwardedPut {
  const stamp = { epoch: 0, tag: 0 };
  const put = { bucket: "", contentType: "", w: 0, pw: 0, returnBody: false };
  let key: Uint8Array = new Uint8Array(0);
  let value: Uint8Array = new Uint8Array(0);
  let context: string | undefined;
  let writeId: string | undefined;
  let ttlMs: number | undefined;
  let expiresAtMs: number | undefined;
  let mode: RequestMode = "strict";
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) stamp.epoch = reader.uint();
    else if (tag === 0x15) stamp.tag = reader.fixed32();
    else if (tag === 0x1a) put.bucket = reader.text();
    else if (tag === 0x22) key = reader.view();
    else if (tag === 0x2a) value = reader.view();
    else if (tag === 0x32) put.contentType = reader.text();
    else if (tag === 0x3a) context = reader.text();
    else if (tag === 0x42) writeId = reader.hex(16);
    else if (tag === 0x48) put.w = reader.uint();
    else if (tag === 0x50) put.pw = reader.uint();
    else if (tag === 0x58) put.returnBody = reader.bool();
    else if (tag === 0x61) ttlMs = reader.duration();
    else if (tag === 0x69) expiresAtMs = reader.finite();
    else if (tag === 0x70) mode = readMode(reader);
    else reader.skip(tag);
  }
  reader.leave(outer);
  const id = writeId === undefined ? undefined : parseWriteId(writeId);
  const lifetime = { ttlMs, expiresAtMs };
  return { kind: "put", stamp, ...put, mode, key, value, context, writeId: id, ...lifetime };
}

function readDelete(reader: WireReader): ForwardedDelete {
  const stamp = { epoch: 0, tag: 0 };
  const rest = { bucket: "", context: "", w: 0, pw: 0 };
  let key: Uint8Array = new Uint8Array(0);
  let mode: RequestMode = "strict";
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) stamp.epoch = reader.uint();
    else if (tag === 0x15) stamp.tag = reader.fixed32();
    else if (tag === 0x1a) rest.bucket = reader.text();
    else if (tag === 0x22) key = reader.view();
    else if (tag === 0x2a) rest.context = reader.text();
    else if (tag === 0x30) rest.w = reader.uint();
    else if (tag === 0x38) rest.pw = reader.uint();
    else if (tag === 0x40) mode = readMode(reader);
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "delete", stamp, ...rest, mode, key };
}

function readMode(reader: WireReader): RequestMode {
  return reader.bool() ? "sloppy" : "strict";
}
