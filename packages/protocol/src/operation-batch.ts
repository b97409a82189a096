import type { PeerRequest } from "@coterie/cluster";
import type { Levels } from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import {
  answerLimitsTag,
  helloTag,
  readAnswerLimits,
  readLevels,
  writeAnswerLimits,
  writeHello,
} from "./levels-codec.ts";
import { readRequest, requestSizeHint, writeRequest } from "./request-codec.ts";
import { WireReader } from "./wire-reader.ts";
import { WireWriter } from "./wire-writer.ts";

/** Operations in one batch, and results in one ack; more are malformed. */
export const batchOperationsMax = 1024;
/** The `sent_ms` field with its tag. */
const headerBytes = 9;
/** Of an operation: its length, id, deadline and the length of its request. */
const operationBytesExtra = 25;

/** What a message could not be decoded for. */
export type MalformedMessage = { readonly ok: false; readonly error: "malformed" };

export interface DecodedOperation {
  readonly id: number;
  /** On the sender's clock. */
  readonly deadline: MonotonicMs;
  /** `undefined`: its frame was whole, but what is in it is malformed or of no known kind. */
  readonly request: PeerRequest | undefined;
}

export type DecodedBatch =
  | {
      readonly ok: true;
      /** On the sender's clock. */
      readonly sentMs: MonotonicMs;
      /** What the sender speaks, where it says so: in the first batch of a stream. */
      readonly levels: Levels | undefined;
      /** Of an answer with records, where its sender says so: in the first batch of a stream. */
      readonly recordBytesMax: number | undefined;
      readonly operations: readonly DecodedOperation[];
    }
  | MalformedMessage;

/** About how many bytes the operation of a request takes in a batch. */
export function operationSizeHint(request: PeerRequest): number {
  return operationBytesExtra + requestSizeHint(request);
}

/** The batch being gathered for a peer: each operation is encoded when it is added. */
export class OperationBatch {
  readonly #writer = new WireWriter();
  #operations = 0;

  constructor() {
    this.#writer.double(0x09, 0);
  }

  get operations(): number {
    return this.#operations;
  }

  /** Encoded so far. */
  get bytes(): number {
    return this.#writer.length;
  }

  /** Adds an operation; returns its encoded size. Nothing of `request` is kept. */
  add(id: number, deadline: MonotonicMs, request: PeerRequest): number {
    const writer = this.#writer;
    const before = writer.length;
    const sizeHint = requestSizeHint(request);
    const start = writer.open(0x12, sizeHint + 16);
    writer.fixed32(0x0d, id);
    writer.double(0x11, deadline);
    writeRequest(writer, request, sizeHint);
    writer.close(start, sizeHint + 16);
    this.#operations += 1;
    return writer.length - before;
  }

  /** The encoded Batch; this one is then empty. */
  take(sentMs: MonotonicMs): Uint8Array {
    this.#writer.overwriteDouble(0, sentMs);
    const message = this.#writer.take();
    this.#writer.double(0x09, 0);
    this.#operations = 0;
    return message;
  }

  /** Adds what the sender speaks: to the first batch of a stream, which has no operations. */
  greet(levels: Levels): void {
    writeHello(this.#writer, levels);
  }

  /** Adds how large an answer with records may be on the stream, after what the sender speaks. */
  limitAnswers(recordBytesMax: number): void {
    writeAnswerLimits(this.#writer, recordBytesMax);
  }

  /** Drops what was gathered. */
  clear(): void {
    this.#writer.truncate(headerBytes);
    this.#operations = 0;
  }
}

/** Decodes a Batch from a peer. Byte strings of the requests are views of it. */
export function decodeBatch(bytes: Uint8Array): DecodedBatch {
  const reader = new WireReader(bytes);
  const operations: DecodedOperation[] = [];
  let sentMs: MonotonicMs | undefined;
  let levels: Levels | undefined;
  let recordBytesMax: number | undefined;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x09) sentMs = reader.finite();
    else if (tag === 0x12 && operations.length < batchOperationsMax) {
      const operation = readOperation(reader);
      if (operation === undefined) reader.fail();
      else operations.push(operation);
    } else if (tag === helloTag) levels = readLevels(reader);
    else if (tag === answerLimitsTag) recordBytesMax = readAnswerLimits(reader);
    else reader.skip(tag);
  }
  if (reader.failed || sentMs === undefined) return { ok: false, error: "malformed" };
  return { ok: true, sentMs, levels, recordBytesMax, operations };
}

/** `undefined` when not even its frame, id and deadline can be read. */
function readOperation(reader: WireReader): DecodedOperation | undefined {
  const outer = reader.enter();
  if (reader.failed) return undefined;
  let id: number | undefined;
  let deadline: MonotonicMs | undefined;
  let request: PeerRequest | undefined;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0d) id = reader.fixed32();
    else if (tag === 0x11) deadline = reader.finite();
    else {
      const read = readRequest(reader, tag);
      if (read === undefined) reader.skip(tag);
      else request = read;
    }
  }
  const isWhole = reader.leaveEvenIfMalformed(outer);
  if (id === undefined || deadline === undefined) return undefined;
  return { id, deadline, request: isWhole ? request : undefined };
}
