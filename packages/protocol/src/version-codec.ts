import type { SparedRecord, VersionResponse } from "@coterie/cluster";
import { fenceOf } from "./reaping-codec.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Field 32 of a Read: whoever does not know it may ignore it. */
export const sparedTag = 0x102;
/** Field 26 of a Result. */
export const versionTags = { version: 0xd2 } as const;
/** About how many bytes either takes. */
export const sparedHint = 16;

export function writeSpared(writer: WireWriter, { digest, bytes }: SparedRecord): void {
  const start = writer.open(sparedTag, sparedHint);
  if (digest !== undefined) {
    writer.fixed32(0x0d, digest.high);
    writer.fixed32(0x15, digest.low);
  }
  writer.uint(0x18, bytes);
  writer.close(start, sparedHint);
}

/** A digest of which one half is missing is malformed. */
export function readSpared(reader: WireReader): SparedRecord {
  let high: number | undefined;
  let low: number | undefined;
  let bytes = 0;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0d) high = reader.fixed32();
    else if (tag === 0x15) low = reader.fixed32();
    else if (tag === 0x18) bytes = reader.uint();
    else reader.skip(tag);
  }
  if ((high === undefined) !== (low === undefined)) reader.fail();
  reader.leave(outer);
  const digest = high === undefined || low === undefined ? undefined : { high, low };
  return { digest, bytes };
}

/** Writes the fields of a Version. */
export function writeVersion(writer: WireWriter, { digest, bytes, fence }: VersionResponse): void {
  writer.fixed32OrDefault(0x0d, digest.high);
  writer.uint(0x10, fence.raised);
  writer.uint(0x18, fence.reaped);
  writer.fixed32OrDefault(0x25, digest.low);
  writer.uint(0x28, bytes);
}

export function readVersion(reader: WireReader): VersionResponse {
  const digest = { high: 0, low: 0 };
  const fence = { raised: 0, reaped: 0 };
  let bytes = 0;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0d) digest.high = reader.fixed32();
    else if (tag === 0x10) fence.raised = reader.uint();
    else if (tag === 0x18) fence.reaped = reader.uint();
    else if (tag === 0x25) digest.low = reader.fixed32();
    else if (tag === 0x28) bytes = reader.uint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "version", digest, bytes, fence: fenceOf(fence.raised, fence.reaped) };
}
