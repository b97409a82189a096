import { invariant } from "@coterie/core";
import type { MalformedMessage } from "../operation-batch.ts";
import { type FieldProblem, WireReader } from "../wire-reader.ts";
import { WireWriter } from "../wire-writer.ts";
import type { KvRequest } from "./messages.ts";
import {
  kvRequestSizeHint,
  readDelete,
  readGet,
  readPut,
  readScan,
  writeKvRequest,
} from "./request-fields.ts";

/** Requests in one PipeRequests; more are malformed. */
export const pipeRequestsMax = 1024;
/** Of a request: the id, and the length and tag of what is asked. */
const requestBytesExtra = 11;

const requestTags = { get: 0x12, put: 0x1a, delete: 0x22, scan: 0x2a, cancel: 0x32 } as const;

/** What a request is refused for when nothing more is known. */
const malformedRequest: FieldProblem = {
  code: "bad-request",
  message: "the request is malformed, or has a field that this node does not know",
};

export interface DecodedPipeRequest {
  readonly id: number;
  /** `undefined`: its frame was whole, but what is in it is refused. */
  readonly request: KvRequest | undefined;
  /** Why it is refused. */
  readonly problem: FieldProblem | undefined;
}

export type DecodedPipeRequests =
  | { readonly ok: true; readonly requests: readonly DecodedPipeRequest[] }
  | MalformedMessage;

/** The PipeRequests being gathered: each request is encoded when it is added. */
export class PipeRequestBatch {
  readonly #writer = new WireWriter();
  #requests = 0;

  get requests(): number {
    return this.#requests;
  }

  /** Encoded so far. */
  get bytes(): number {
    return this.#writer.length;
  }

  /** Adds a request; returns its encoded size. Nothing of `request` is kept. */
  add(id: number, request: KvRequest): number {
    invariant(id > 0, "ids of a Pipe begin with 1: protobuf cannot tell 0 from none");
    const writer = this.#writer;
    const before = writer.length;
    const sizeHint = kvRequestSizeHint(request);
    const start = writer.open(0x0a, sizeHint + requestBytesExtra);
    writer.fixed32(0x0d, id);
    const inner = writer.open(requestTags[request.kind], sizeHint);
    writeKvRequest(writer, request);
    writer.close(inner, sizeHint);
    writer.close(start, sizeHint + requestBytesExtra);
    this.#requests += 1;
    return writer.length - before;
  }

  /** The encoded PipeRequests; this one is then empty. Without requests, it is a greeting. */
  take(): Uint8Array {
    this.#requests = 0;
    return this.#writer.take();
  }

  /** Drops what was gathered. */
  clear(): void {
    this.#requests = 0;
    this.#writer.truncate(0);
  }
}

/** Decodes a PipeRequests from a client. Byte strings of the requests are views of it. */
export function decodePipeRequests(bytes: Uint8Array): DecodedPipeRequests {
  const reader = new WireReader(bytes);
  const requests: DecodedPipeRequest[] = [];
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a && requests.length < pipeRequestsMax) {
      const request = readPipeRequest(reader);
      if (request === undefined) reader.fail();
      else requests.push(request);
    } else reader.skip(tag);
  }
  return reader.failed ? { ok: false, error: "malformed" } : { ok: true, requests };
}

/** `undefined` when not even its frame and id can be read. */
function readPipeRequest(reader: WireReader): DecodedPipeRequest | undefined {
  const outer = reader.enter();
  if (reader.failed) return undefined;
  let id = 0;
  let request: KvRequest | undefined;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0d) id = reader.fixed32();
    else if (request !== undefined) reader.fail(twoRequests);
    else {
      request = readRequest(reader, tag);
      if (request === undefined) reader.skip(tag);
    }
  }
  const problem = reader.problem ?? malformedRequest;
  const isWhole = reader.leaveEvenIfMalformed(outer) && request !== undefined;
  if (id === 0) return undefined;
  return isWhole ? { id, request, problem: undefined } : { id, request: undefined, problem };
}

/** Protobuf would let the last one win: one of them would never be answered. */
const twoRequests: FieldProblem = { code: "bad-request", message: "one id has two requests" };

function readRequest(reader: WireReader, tag: number): KvRequest | undefined {
  const read = readerOf(tag);
  if (read === undefined) return undefined;
  const outer = reader.enter();
  const request = read(reader);
  reader.leave(outer);
  return request;
}

function readerOf(tag: number): ((reader: WireReader) => KvRequest) | undefined {
  switch (tag) {
    case requestTags.get:
      return readGet;
    case requestTags.put:
      return readPut;
    case requestTags.delete:
      return readDelete;
    case requestTags.scan:
      return readScan;
    case requestTags.cancel:
      return readCancel;
    default:
      return undefined;
  }
}

function readCancel(reader: WireReader): KvRequest {
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) reader.skip(tag);
  return { kind: "cancel" };
}
