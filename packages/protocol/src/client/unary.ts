import { type FieldProblem, WireReader } from "../wire-reader.ts";
import { WireWriter } from "../wire-writer.ts";
import type {
  KvFailure,
  KvGetReply,
  KvOperation,
  KvOperationReply,
  KvReply,
  KvScan,
  KvScanReply,
  KvWriteReply,
} from "./messages.ts";
import {
  kvRequestSizeHint,
  readDelete,
  readGet,
  readPut,
  readScan,
  writeKvOperation,
  writeKvRequest,
} from "./request-fields.ts";
import {
  kvReplySizeHint,
  readFailure,
  readGetReply,
  readScanReply,
  readWriteReply,
  writeKvReply,
} from "./reply-fields.ts";

/** Operations in one BatchRequest. */
export const kvBatchOperationsMax = 1000;

/** A message of a unary call, decoded, or why it is refused. */
export type Decoded<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: FieldProblem };

const malformed: FieldProblem = {
  code: "bad-request",
  message: "the message is malformed, or has a field that this node does not know",
};
const tooManyOperations: FieldProblem = {
  code: "bad-request",
  message: `a batch has at most ${kvBatchOperationsMax} operations`,
};

const operationTags = { get: 0x0a, put: 0x12, delete: 0x1a } as const;
const operationReplyTags = { get: 0x0a, write: 0x12, failure: 0x1a } as const;

/** The encoded GetRequest, PutRequest, DeleteRequest or ScanRequest. */
export function encodeKvRequest(request: KvOperation | KvScan): Uint8Array {
  const writer = new WireWriter();
  writeKvRequest(writer, request);
  return writer.take();
}

/** Decodes the request of the method that is named like its kind. */
export function decodeKvRequest<Kind extends (KvOperation | KvScan)["kind"]>(
  kind: Kind,
  bytes: Uint8Array,
): Decoded<Extract<KvOperation | KvScan, { readonly kind: Kind }>> {
  const reader = new WireReader(bytes);
  const value = readers[kind](reader) as Extract<KvOperation | KvScan, { readonly kind: Kind }>;
  return outcomeOf(reader, value);
}

const readers = { get: readGet, put: readPut, delete: readDelete, scan: readScan } as const;

/** The encoded GetReply, WriteReply, ScanReply or Failure. */
export function encodeKvReply(reply: KvReply): Uint8Array {
  const writer = new WireWriter();
  writeKvReply(writer, reply);
  return writer.take();
}

/** Decodes a GetReply; `undefined` if it is malformed. */
export function decodeGetReply(bytes: Uint8Array): KvGetReply | undefined {
  return wholeReply(bytes, readGetReply);
}

/** Decodes a WriteReply; `undefined` if it is malformed. */
export function decodeWriteReply(bytes: Uint8Array): KvWriteReply | undefined {
  return wholeReply(bytes, readWriteReply);
}

/** Decodes a ScanReply; `undefined` if it is malformed. */
export function decodeScanReply(bytes: Uint8Array): KvScanReply | undefined {
  return wholeReply(bytes, readScanReply);
}

/** Decodes a Failure, as trailers carry it; `undefined` if it is malformed. */
export function decodeFailure(bytes: Uint8Array): KvFailure | undefined {
  return wholeReply(bytes, readFailure);
}

function wholeReply<Reply>(
  bytes: Uint8Array,
  read: (reader: WireReader) => Reply,
): Reply | undefined {
  const reader = new WireReader(bytes, "skip");
  const reply = read(reader);
  return reader.failed ? undefined : reply;
}

/** The encoded BatchRequest. */
export function encodeBatchRequest(operations: readonly KvOperation[]): Uint8Array {
  const writer = new WireWriter();
  for (const operation of operations) {
    const sizeHint = kvRequestSizeHint(operation);
    const start = writer.open(0x0a, sizeHint + 6);
    const inner = writer.open(operationTags[operation.kind], sizeHint);
    writeKvOperation(writer, operation);
    writer.close(inner, sizeHint);
    writer.close(start, sizeHint + 6);
  }
  return writer.take();
}

/** Decodes a BatchRequest: all of its operations are well-formed, or it is refused whole. */
export function decodeBatchRequest(bytes: Uint8Array): Decoded<readonly KvOperation[]> {
  const reader = new WireReader(bytes);
  const operations: KvOperation[] = [];
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag !== 0x0a) reader.skip(tag);
    else if (operations.length >= kvBatchOperationsMax) reader.fail(tooManyOperations);
    else {
      const operation = readOperation(reader);
      if (operation !== undefined) operations.push(operation);
    }
  }
  return outcomeOf(reader, operations);
}

function readOperation(reader: WireReader): KvOperation | undefined {
  let operation: KvOperation | undefined;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    const inner = reader.enter();
    // Protobuf would let the last one win: the others would never be answered.
    if (operation !== undefined) reader.fail();
    else if (tag === operationTags.get) operation = readGet(reader);
    else if (tag === operationTags.put) operation = readPut(reader);
    else if (tag === operationTags.delete) operation = readDelete(reader);
    else reader.fail();
    reader.leave(inner);
  }
  if (operation === undefined) reader.fail();
  reader.leave(outer);
  return operation;
}

/** The encoded BatchReply. */
export function encodeBatchReply(replies: readonly KvOperationReply[]): Uint8Array {
  const writer = new WireWriter();
  for (const reply of replies) {
    const sizeHint = kvReplySizeHint(reply);
    const start = writer.open(0x0a, sizeHint + 6);
    const inner = writer.open(operationReplyTags[reply.kind], sizeHint);
    writeKvReply(writer, reply);
    writer.close(inner, sizeHint);
    writer.close(start, sizeHint + 6);
  }
  return writer.take();
}

/** Decodes a BatchReply; `undefined` if it is malformed, or says what no client asked. */
export function decodeBatchReply(bytes: Uint8Array): readonly KvOperationReply[] | undefined {
  const reader = new WireReader(bytes, "skip");
  const replies: KvOperationReply[] = [];
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag !== 0x0a) reader.skip(tag);
    else if (replies.length >= kvBatchOperationsMax) reader.fail();
    else {
      const reply = readOperationReply(reader);
      if (reply === undefined) reader.fail();
      else replies.push(reply);
    }
  }
  return reader.failed ? undefined : replies;
}

function readOperationReply(reader: WireReader): KvOperationReply | undefined {
  let reply: KvOperationReply | undefined;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === operationReplyTags.get) reply = nested(reader, readGetReply);
    else if (tag === operationReplyTags.write) reply = nested(reader, readWriteReply);
    else if (tag === operationReplyTags.failure) reply = nested(reader, readFailure);
    else reader.skip(tag);
  }
  reader.leave(outer);
  return reply;
}

function nested<Reply>(reader: WireReader, read: (reader: WireReader) => Reply): Reply {
  const outer = reader.enter();
  const reply = read(reader);
  reader.leave(outer);
  return reply;
}

function outcomeOf<Value>(reader: WireReader, value: Value): Decoded<Value> {
  return reader.failed ? { ok: false, problem: reader.problem ?? malformed } : { ok: true, value };
}
