import type { PeerResponse } from "@coterie/cluster";
import type { Levels } from "@coterie/core";
import { helloTag, readLevels, writeHello } from "./levels-codec.ts";
import { type MalformedMessage, batchOperationsMax } from "./operation-batch.ts";
import { readResponse, responseSizeHint, writeResponse } from "./response-codec.ts";
import { WireReader } from "./wire-reader.ts";
import { WireWriter } from "./wire-writer.ts";

export interface DecodedResult {
  readonly id: number;
  /** `undefined`: the peer answered, in a way that this node does not understand. */
  readonly response: PeerResponse | undefined;
}

export type DecodedAck =
  | {
      readonly ok: true;
      readonly results: readonly DecodedResult[];
      /** What the peer speaks, where it says so: in its first answer. */
      readonly levels: Levels | undefined;
    }
  | MalformedMessage;

/** The ack being gathered for a stream: each result is encoded when it is added. */
export class ResultBatch {
  readonly #writer = new WireWriter();
  #results = 0;

  get results(): number {
    return this.#results;
  }

  /** Encoded so far. */
  get bytes(): number {
    return this.#writer.length;
  }

  /** Adds the response to operation `id`. Nothing of `response` is kept. */
  add(id: number, response: PeerResponse): void {
    const writer = this.#writer;
    const sizeHint = responseSizeHint(response);
    const start = writer.open(0x0a, sizeHint + 8);
    writer.fixed32(0x0d, id);
    writeResponse(writer, response, sizeHint);
    writer.close(start, sizeHint + 8);
    this.#results += 1;
  }

  /** Adds what this end speaks: to its first answer. */
  greet(levels: Levels): void {
    writeHello(this.#writer, levels);
  }

  /** The encoded BatchAck; this one is then empty. */
  take(): Uint8Array {
    this.#results = 0;
    return this.#writer.take();
  }
}

/** Decodes a BatchAck from a peer. Byte strings of the responses are views of it. */
export function decodeAck(bytes: Uint8Array): DecodedAck {
  const reader = new WireReader(bytes);
  const results: DecodedResult[] = [];
  let levels: Levels | undefined;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a && results.length < batchOperationsMax) {
      const result = readResult(reader);
      if (result === undefined) reader.fail();
      else results.push(result);
    } else if (tag === helloTag) levels = readLevels(reader);
    else reader.skip(tag);
  }
  return reader.failed ? { ok: false, error: "malformed" } : { ok: true, results, levels };
}

function readResult(reader: WireReader): DecodedResult | undefined {
  const outer = reader.enter();
  if (reader.failed) return undefined;
  let id: number | undefined;
  let response: PeerResponse | undefined;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0d) id = reader.fixed32();
    else {
      const read = readResponse(reader, tag);
      if (read === undefined) reader.skip(tag);
      else response = read;
    }
  }
  const isWhole = reader.leaveEvenIfMalformed(outer);
  if (id === undefined) return undefined;
  return { id, response: isWhole ? response : undefined };
}
