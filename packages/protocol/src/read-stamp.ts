import type { RingStamp } from "@coterie/core";
import type { WireReader } from "./wire-reader.ts";

/** Reads a message that says nothing but by which plan it was sent. */
export function readStamp(reader: WireReader): RingStamp {
  const stamp = { epoch: 0, tag: 0 };
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) stamp.epoch = reader.uint();
    else if (tag === 0x15) stamp.tag = reader.fixed32();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return stamp;
}
