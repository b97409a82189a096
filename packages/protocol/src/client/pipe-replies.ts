import { invariant } from "@coterie/core";
import type { MalformedMessage } from "../operation-batch.ts";
import { WireReader } from "../wire-reader.ts";
import { WireWriter } from "../wire-writer.ts";
import type { KvReply } from "./messages.ts";
import {
  kvReplySizeHint,
  readFailure,
  readGetReply,
  readScanReply,
  readWriteReply,
  writeKvReply,
} from "./reply-fields.ts";

/** Replies in one PipeReplies; more are malformed. */
export const pipeRepliesMax = 1024;
/** Of a reply: the id, and the length and tag of what is said. */
const replyBytesExtra = 11;

const replyTags = { get: 0x12, write: 0x1a, scan: 0x22, failure: 0x2a } as const;

export interface DecodedPipeReply {
  readonly id: number;
  /** `undefined`: the node answered, in a way that this client does not understand. */
  readonly reply: KvReply | undefined;
}

export type DecodedPipeReplies =
  | { readonly ok: true; readonly replies: readonly DecodedPipeReply[] }
  | MalformedMessage;

/** The PipeReplies being gathered: each reply is encoded when it is added. */
export class PipeReplyBatch {
  readonly #writer = new WireWriter();
  #replies = 0;

  get replies(): number {
    return this.#replies;
  }

  /** Encoded so far. */
  get bytes(): number {
    return this.#writer.length;
  }

  /** Adds the reply to request `id`; returns its encoded size. Nothing of `reply` is kept. */
  add(id: number, reply: KvReply): number {
    invariant(id > 0, "ids of a Pipe begin with 1: protobuf cannot tell 0 from none");
    const writer = this.#writer;
    const before = writer.length;
    const sizeHint = kvReplySizeHint(reply);
    const start = writer.open(0x0a, sizeHint + replyBytesExtra);
    writer.fixed32(0x0d, id);
    const inner = writer.open(replyTags[reply.kind], sizeHint);
    writeKvReply(writer, reply);
    writer.close(inner, sizeHint);
    writer.close(start, sizeHint + replyBytesExtra);
    this.#replies += 1;
    return writer.length - before;
  }

  /** The encoded PipeReplies; this one is then empty. */
  take(): Uint8Array {
    this.#replies = 0;
    return this.#writer.take();
  }
}

/** Decodes a PipeReplies from a node. Byte strings of the replies are safe to keep. */
export function decodePipeReplies(bytes: Uint8Array): DecodedPipeReplies {
  const reader = new WireReader(bytes, "skip");
  const replies: DecodedPipeReply[] = [];
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag !== 0x0a) reader.skip(tag);
    else if (replies.length >= pipeRepliesMax) reader.fail();
    else {
      const reply = readPipeReply(reader);
      if (reply === undefined) reader.fail();
      else replies.push(reply);
    }
  }
  return reader.failed ? { ok: false, error: "malformed" } : { ok: true, replies };
}

function readPipeReply(reader: WireReader): DecodedPipeReply | undefined {
  const outer = reader.enter();
  if (reader.failed) return undefined;
  let id = 0;
  let reply: KvReply | undefined;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0d) id = reader.fixed32();
    else {
      const read = readReply(reader, tag);
      if (read === undefined) reader.skip(tag);
      else reply = read;
    }
  }
  const isWhole = reader.leaveEvenIfMalformed(outer);
  return id === 0 ? undefined : { id, reply: isWhole ? reply : undefined };
}

function readReply(reader: WireReader, tag: number): KvReply | undefined {
  const read = readerOf(tag);
  if (read === undefined) return undefined;
  const outer = reader.enter();
  const reply = read(reader);
  reader.leave(outer);
  return reply;
}

function readerOf(tag: number): ((reader: WireReader) => KvReply) | undefined {
  switch (tag) {
    case replyTags.get:
      return readGetReply;
    case replyTags.write:
      return readWriteReply;
    case replyTags.scan:
      return readScanReply;
    case replyTags.failure:
      return readFailure;
    default:
      return undefined;
  }
}
