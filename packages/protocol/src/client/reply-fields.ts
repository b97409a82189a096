import type { WireReader } from "../wire-reader.ts";
import type { WireWriter } from "../wire-writer.ts";
import type {
  KvAcks,
  KvFailure,
  KvGetReply,
  KvReply,
  KvScanItem,
  KvScanReply,
  KvSibling,
  KvWriteReply,
} from "./messages.ts";

// The fields of kv.proto's replies, without the length that precedes a nested message. A reader of
// replies skips what it does not know: a newer node may say more than its client understands.

/** Elements of one list; a longer one is malformed. */
const elementsMax = 65_536;
const acksHint = 12;
const noBytes: Uint8Array = new Uint8Array(0);
const noAcks: KvAcks = { primaries: 0, fallbacks: 0, required: 0 };

/** About how many bytes `reply` takes when encoded; never far below. */
export function kvReplySizeHint(reply: KvReply): number {
  switch (reply.kind) {
    case "get":
      return 16 + acksHint + (reply.context?.length ?? 0) + siblingsHint(reply.siblings);
    case "write":
      return 16 + acksHint + (reply.context?.length ?? 0) + siblingsHint(reply.body);
    case "scan":
      return reply.items.reduce(
        (sum, { key, context }) => sum + 24 + key.length + (context?.length ?? 0),
        8 + (reply.cursor?.length ?? 0),
      );
    case "failure":
      break;
  }
  return 16 + acksHint + reply.code.length + reply.message.length + reply.hint.length;
}

function siblingsHint(siblings: readonly KvSibling[]): number {
  let bytes = 0;
  for (const sibling of siblings) bytes += 4 + siblingHint(sibling);
  return bytes;
}

function siblingHint({ value, contentType, dot }: KvSibling): number {
  return 26 + value.length + contentType.length + dot.length;
}

export function writeKvReply(writer: WireWriter, reply: KvReply): void {
  switch (reply.kind) {
    case "get":
      for (const sibling of reply.siblings) writeSibling(writer, 0x0a, sibling);
      writer.textOrDefault(0x12, reply.context ?? "");
      writeAcks(writer, 0x1a, reply.acks);
      return;
    case "write":
      writer.textOrDefault(0x0a, reply.context ?? "");
      writer.uint(0x10, reply.siblings);
      writeAcks(writer, 0x1a, reply.acks);
      for (const sibling of reply.body) writeSibling(writer, 0x22, sibling);
      return;
    case "scan":
      for (const item of reply.items) writeScanItem(writer, item);
      writer.textOrDefault(0x12, reply.cursor ?? "");
      return;
    case "failure":
      writer.textOrDefault(0x0a, reply.code);
      writer.textOrDefault(0x12, reply.message);
      writer.bool(0x18, reply.isOutcomeUnknown);
      writeAcks(writer, 0x22, reply.acks);
      writer.bool(0x28, reply.isRetryable);
      writer.textOrDefault(0x32, reply.hint);
  }
}

function writeSibling(writer: WireWriter, tag: number, sibling: KvSibling): void {
  const sizeHint = siblingHint(sibling);
  const start = writer.open(tag, sizeHint);
  writer.bytesOrDefault(0x0a, sibling.value);
  writer.textOrDefault(0x12, sibling.contentType);
  writer.textOrDefault(0x1a, sibling.dot);
  writer.doubleOrDefault(0x21, sibling.writtenAtMs);
  writer.doubleOrDefault(0x29, sibling.expiresAtMs);
  writer.close(start, sizeHint);
}

function writeAcks(writer: WireWriter, tag: number, acks: KvAcks): void {
  const start = writer.open(tag, acksHint);
  writer.uint(0x08, acks.primaries);
  writer.uint(0x10, acks.fallbacks);
  writer.uint(0x18, acks.required);
  writer.close(start, acksHint);
}

function writeScanItem(writer: WireWriter, item: KvScanItem): void {
  const sizeHint = 20 + item.key.length + (item.context?.length ?? 0);
  const start = writer.open(0x0a, sizeHint);
  writer.bytesOrDefault(0x0a, item.key);
  writer.textOrDefault(0x12, item.context ?? "");
  writer.uint(0x18, item.siblings);
  writer.doubleOrDefault(0x21, item.bytes);
  writer.close(start, sizeHint);
}

export function readGetReply(reader: WireReader): KvGetReply {
  const siblings: KvSibling[] = [];
  let context = "";
  let acks = noAcks;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) addSibling(reader, siblings);
    else if (tag === 0x12) context = reader.text();
    else if (tag === 0x1a) acks = readAcks(reader);
    else reader.skip(tag);
  }
  return { kind: "get", siblings, context: textOrNone(context), acks };
}

export function readWriteReply(reader: WireReader): KvWriteReply {
  const body: KvSibling[] = [];
  let context = "";
  let siblings = 0;
  let acks = noAcks;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) context = reader.text();
    else if (tag === 0x10) siblings = reader.uint();
    else if (tag === 0x1a) acks = readAcks(reader);
    else if (tag === 0x22) addSibling(reader, body);
    else reader.skip(tag);
  }
  return { kind: "write", context: textOrNone(context), siblings, acks, body };
}

export function readScanReply(reader: WireReader): KvScanReply {
  const items: KvScanItem[] = [];
  let cursor = "";
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) {
      if (items.length >= elementsMax) reader.fail();
      else items.push(readScanItem(reader));
    } else if (tag === 0x12) cursor = reader.text();
    else reader.skip(tag);
  }
  return { kind: "scan", items, cursor: textOrNone(cursor) };
}

export function readFailure(reader: WireReader): KvFailure {
  const texts = { code: "", message: "", hint: "" };
  let isOutcomeUnknown = false;
  let isRetryable = false;
  let acks = noAcks;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) texts.code = reader.text();
    else if (tag === 0x12) texts.message = reader.text();
    else if (tag === 0x18) isOutcomeUnknown = reader.bool();
    else if (tag === 0x22) acks = readAcks(reader);
    else if (tag === 0x28) isRetryable = reader.bool();
    else if (tag === 0x32) texts.hint = reader.text();
    else reader.skip(tag);
  }
  return { kind: "failure", ...texts, isOutcomeUnknown, acks, isRetryable };
}

function addSibling(reader: WireReader, siblings: KvSibling[]): void {
  if (siblings.length >= elementsMax) {
    reader.fail();
    return;
  }
  let value = noBytes;
  let contentType = "";
  let dot = "";
  let writtenAtMs = 0;
  let expiresAtMs = 0;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) value = reader.owned();
    else if (tag === 0x12) contentType = reader.text();
    else if (tag === 0x1a) dot = reader.text();
    else if (tag === 0x21) writtenAtMs = reader.finite();
    else if (tag === 0x29) expiresAtMs = reader.finite();
    else reader.skip(tag);
  }
  reader.leave(outer);
  siblings.push({ value, contentType, dot, writtenAtMs, expiresAtMs });
}

function readAcks(reader: WireReader): KvAcks {
  let primaries = 0;
  let fallbacks = 0;
  let required = 0;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) primaries = reader.uint();
    else if (tag === 0x10) fallbacks = reader.uint();
    else if (tag === 0x18) required = reader.uint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { primaries, fallbacks, required };
}

function readScanItem(reader: WireReader): KvScanItem {
  let key = noBytes;
  let context = "";
  let siblings = 0;
  let bytes = 0;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) key = reader.owned();
    else if (tag === 0x12) context = reader.text();
    else if (tag === 0x18) siblings = reader.uint();
    else if (tag === 0x21) bytes = reader.finite();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { key, context: textOrNone(context), siblings, bytes };
}

function textOrNone(text: string): string | undefined {
  return text === "" ? undefined : text;
}
