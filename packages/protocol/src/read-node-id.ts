import { type NodeId, parseNodeId } from "@coterie/core";
import type { WireReader } from "./wire-reader.ts";

/** Reads a node's name; of one that is none the reader fails. */
export function readNodeId(reader: WireReader): NodeId {
  const id = parseNodeId(reader.text());
  if (id === undefined) reader.fail();
  return id ?? ("" as NodeId);
}
