import { deepStrictEqual } from "node:assert/strict";
import { type DecodedPipeReply, PipeReplyBatch, decodePipeReplies } from "../../src/index.ts";
import { anyKvReply } from "../client/arbitraries.ts";
import { samplesOf } from "./samples.ts";

/** What a node answers on a Pipe, as the client reads it. */
export const seeds: readonly Uint8Array[] = samplesOf(anyKvReply).map((reply) =>
  encode([{ id: 7, reply }]),
);

export function run(input: Uint8Array): void {
  const decoded = decodePipeReplies(input);
  if (!decoded.ok) return;
  const understood = decoded.replies.filter(({ reply }) => reply !== undefined);
  deepStrictEqual(decodePipeReplies(encode(understood)), { ok: true, replies: understood });
}

function encode(replies: readonly DecodedPipeReply[]): Uint8Array {
  const batch = new PipeReplyBatch();
  for (const { id, reply } of replies) if (reply !== undefined) batch.add(id, reply);
  return batch.take().slice();
}
