import { type WriteId, keyBytesMax, limits, parseWriteId } from "@coterie/core";
import type { FieldLimit, FieldProblem, WireReader } from "../wire-reader.ts";
import type { WireWriter } from "../wire-writer.ts";
import type { KvDelete, KvGet, KvOperation, KvPut, KvRequest, KvScan } from "./messages.ts";

// The fields of kv.proto's requests, without the length that precedes a nested message. Texts and
// names are limited here, before anything is allocated for them; a value by the message it is in.

/** Bytes of a request's fields other than its texts and byte strings, roughly. */
const fixedFieldsHint = 40;
const noBytes: Uint8Array = new Uint8Array(0);

const bucketLimit: FieldLimit = {
  bytesMax: 64,
  problem: { code: "bad-request", message: "a bucket's name is 1 to 64 of a-z 0-9 . _ -" },
};
const keyLimit: FieldLimit = {
  bytesMax: keyBytesMax,
  problem: { code: "bad-request", message: `a key has 1 to ${keyBytesMax} bytes` },
};
const prefixLimit: FieldLimit = {
  bytesMax: keyBytesMax,
  problem: { code: "bad-request", message: `a prefix has at most ${keyBytesMax} bytes` },
};
const cursorLimit: FieldLimit = {
  bytesMax: 4096,
  problem: { code: "bad-request", message: "a cursor is what a scan returned" },
};
const contextLimit: FieldLimit = {
  bytesMax: limits.contextTextMax,
  problem: {
    code: "bad-context",
    message: `a context is text of at most ${limits.contextTextMax} bytes, as a read returned it`,
  },
};
const contentTypeLimit: FieldLimit = {
  bytesMax: limits.contentTypeBytesMax,
  problem: {
    code: "bad-request",
    message: `a content type is at most ${limits.contentTypeBytesMax} printable characters`,
  },
};
const writeIdProblem: FieldProblem = { code: "bad-request", message: "a write id has 16 bytes" };

/** About how many bytes `request` takes when encoded; never far below. */
export function kvRequestSizeHint(request: KvRequest): number {
  switch (request.kind) {
    case "get":
      return fixedFieldsHint + request.bucket.length + request.key.length;
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
      return (
        fixedFieldsHint * 2 +
        request.bucket.length +
        request.key.length +
        (request.context?.length ?? 0)
      );
    case "scan":
      return (
        fixedFieldsHint +
        request.bucket.length +
        request.prefix.length +
        (request.cursor?.length ?? 0)
      );
    case "cancel":
      break;
  }
  return 0;
}

export function writeKvRequest(writer: WireWriter, request: KvRequest): void {
  if (request.kind === "scan") writeScan(writer, request);
  else if (request.kind !== "cancel") writeKvOperation(writer, request);
}

export function writeKvOperation(writer: WireWriter, request: KvOperation): void {
  writer.textOrDefault(0x0a, request.bucket);
  writer.bytesOrDefault(0x12, request.key);
  switch (request.kind) {
    case "get":
      writer.uintIfSet(0x18, request.r);
      writer.boolIfSet(0x20, request.strict);
      writer.uintIfSet(0x28, request.timeoutMs);
      writer.uintIfSet(0x30, request.pr);
      writer.bool(0x38, request.allSiblings);
      writer.uint(0x40, request.maxStaleMs);
      return;
    case "put":
      writePut(writer, request);
      return;
    case "delete":
      writer.textOrDefault(0x1a, request.context ?? "");
      writer.uintIfSet(0x20, request.w);
      writer.boolIfSet(0x28, request.strict);
      writer.uintIfSet(0x30, request.timeoutMs);
      if (request.writeId !== undefined) writer.hex(0x3a, request.writeId);
      writer.uintIfSet(0x40, request.pw);
  }
}

function writePut(writer: WireWriter, request: KvPut): void {
  writer.bytesOrDefault(0x1a, request.value);
  writer.textOrDefault(0x22, request.context ?? "");
  writer.textOrDefault(0x2a, request.contentType);
  writer.uintIfSet(0x30, request.w);
  writer.boolIfSet(0x38, request.strict);
  writer.uintIfSet(0x40, request.timeoutMs);
  writer.doubleIfSet(0x49, request.ttlMs);
  if (request.writeId !== undefined) writer.hex(0x52, request.writeId);
  writer.uintIfSet(0x58, request.pw);
  writer.bool(0x60, request.returnBody);
  writer.bool(0x68, request.ifAbsent);
  writer.doubleIfSet(0x71, request.expiresAtMs);
}

function writeScan(writer: WireWriter, request: KvScan): void {
  writer.textOrDefault(0x0a, request.bucket);
  writer.bytesOrDefault(0x12, request.prefix);
  writer.textOrDefault(0x1a, request.cursor ?? "");
  writer.uint(0x20, request.limit);
  writer.bool(0x28, request.tombstones);
}

export function readGet(reader: WireReader): KvGet {
  let bucket = "";
  let key = noBytes;
  let strict: boolean | undefined;
  let r: number | undefined;
  let pr: number | undefined;
  let timeoutMs: number | undefined;
  let allSiblings = false;
  let maxStaleMs = 0;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) bucket = reader.text(bucketLimit);
    else if (tag === 0x12) key = reader.view(keyLimit);
    else if (tag === 0x18) r = reader.uint();
    else if (tag === 0x20) strict = reader.bool();
    else if (tag === 0x28) timeoutMs = reader.uint();
    else if (tag === 0x30) pr = reader.uint();
    else if (tag === 0x38) allSiblings = reader.bool();
    else if (tag === 0x40) maxStaleMs = reader.uint();
    else reader.skip(tag);
  }
  return { kind: "get", bucket, key, r, pr, strict, timeoutMs, allSiblings, maxStaleMs };
}

export function readPut(reader: WireReader): KvPut {
  const texts = { bucket: "", contentType: "" };
  const flags = { returnBody: false, ifAbsent: false };
  let key = noBytes;
  let value = noBytes;
  let strict: boolean | undefined;
  let context: string | undefined;
  let writeId: WriteId | undefined;
  let w: number | undefined;
  let pw: number | undefined;
  let timeoutMs: number | undefined;
  let ttlMs: number | undefined;
  let expiresAtMs: number | undefined;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) texts.bucket = reader.text(bucketLimit);
    else if (tag === 0x12) key = reader.view(keyLimit);
    else if (tag === 0x1a) value = reader.view();
    else if (tag === 0x22) context = readContext(reader);
    else if (tag === 0x2a) texts.contentType = reader.text(contentTypeLimit);
    else if (tag === 0x30) w = reader.uint();
    else if (tag === 0x38) strict = reader.bool();
    else if (tag === 0x40) timeoutMs = reader.uint();
    else if (tag === 0x49) ttlMs = reader.duration();
    else if (tag === 0x52) writeId = readWriteId(reader);
    else if (tag === 0x58) pw = reader.uint();
    else if (tag === 0x60) flags.returnBody = reader.bool();
    else if (tag === 0x68) flags.ifAbsent = reader.bool();
    else if (tag === 0x71) expiresAtMs = reader.finite();
    else reader.skip(tag);
  }
  const { bucket, contentType } = texts;
  const { returnBody, ifAbsent } = flags;
  return {
    kind: "put",
    bucket,
    key,
    value,
    context,
    contentType,
    w,
    pw,
    strict,
    timeoutMs,
    ttlMs,
    expiresAtMs,
    writeId,
    returnBody,
    ifAbsent,
  };
}

export function readDelete(reader: WireReader): KvDelete {
  let bucket = "";
  let key = noBytes;
  let strict: boolean | undefined;
  let context: string | undefined;
  let writeId: WriteId | undefined;
  let w: number | undefined;
  let pw: number | undefined;
  let timeoutMs: number | undefined;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) bucket = reader.text(bucketLimit);
    else if (tag === 0x12) key = reader.view(keyLimit);
    else if (tag === 0x1a) context = readContext(reader);
    else if (tag === 0x20) w = reader.uint();
    else if (tag === 0x28) strict = reader.bool();
    else if (tag === 0x30) timeoutMs = reader.uint();
    else if (tag === 0x3a) writeId = readWriteId(reader);
    else if (tag === 0x40) pw = reader.uint();
    else reader.skip(tag);
  }
  return { kind: "delete", bucket, key, context, w, pw, strict, timeoutMs, writeId };
}

export function readScan(reader: WireReader): KvScan {
  let bucket = "";
  let prefix = noBytes;
  let cursor = "";
  let limit = 0;
  let tombstones = false;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) bucket = reader.text(bucketLimit);
    else if (tag === 0x12) prefix = reader.view(prefixLimit);
    else if (tag === 0x1a) cursor = reader.text(cursorLimit);
    else if (tag === 0x20) limit = reader.uint();
    else if (tag === 0x28) tombstones = reader.bool();
    else reader.skip(tag);
  }
  const from = cursor === "" ? undefined : cursor;
  return { kind: "scan", bucket, prefix, cursor: from, limit, tombstones };
}

/** Generated code may write an empty one; it means none. */
function readContext(reader: WireReader): string | undefined {
  const context = reader.text(contextLimit);
  return context === "" ? undefined : context;
}

function readWriteId(reader: WireReader): WriteId | undefined {
  return parseWriteId(reader.hex(16, writeIdProblem));
}
