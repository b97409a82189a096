import type { HintRequest, ReadHintRequest } from "@coterie/cluster";
import type { NodeId } from "@coterie/core";
import { readNodeId } from "./read-node-id.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Tags of the fields 15 and 16 of an Operation. */
export const hintTags = { hint: 0x7a, "read-hint": 0x82 } as const;

/** Writes what follows the stamp. */
export function writeHintRequest(writer: WireWriter, request: HintRequest | ReadHintRequest): void {
  if (request.kind === "hint") {
    writer.text(0x1a, request.target);
    writer.bytesOrDefault(0x22, request.record);
    writer.uint(0x28, request.fence);
  } else {
    writer.textOrDefault(0x1a, request.bucket);
    writer.bytesOrDefault(0x22, request.key);
  }
}

export function readHint(reader: WireReader): HintRequest {
  const stamp = { epoch: 0, tag: 0 };
  let target: NodeId | undefined;
  let fence = 0;
  let record: Uint8Array = new Uint8Array(0);
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) stamp.epoch = reader.uint();
    else if (tag === 0x15) stamp.tag = reader.fixed32();
    else if (tag === 0x1a) target = readNodeId(reader);
    // The store and its cache keep these very bytes.
    else if (tag === 0x22) record = reader.view();
    else if (tag === 0x28) fence = reader.uint();
    else reader.skip(tag);
  }
  if (target === undefined) reader.fail();
  reader.leave(outer);
  return { kind: "hint", stamp, target: target ?? ("" as NodeId), fence, record };
}

export function readReadHint(reader: WireReader): ReadHintRequest {
  const stamp = { epoch: 0, tag: 0 };
  let bucket = "";
  let key: Uint8Array = new Uint8Array(0);
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) stamp.epoch = reader.uint();
    else if (tag === 0x15) stamp.tag = reader.fixed32();
    else if (tag === 0x1a) bucket = reader.text();
    else if (tag === 0x22) key = reader.view();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "read-hint", stamp, bucket, key };
}
