import type { Levels } from "@coterie/core";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Field 32 of Batch and BatchAck: what older builds skip. */
export const helloTag: number = 0x102;

const sizeHint = 12;

/** Writes the levels that a node speaks as a field of a hello, or of the answer to one. */
export function writeHello(writer: WireWriter, levels: Levels): void {
  const start = writer.open(helloTag, sizeHint);
  writeLevels(writer, levels);
  writer.close(start, sizeHint);
}

/** Writes the fields of Levels. */
export function writeLevels(writer: WireWriter, { min, max }: Levels): void {
  writer.uint(0x08, min);
  writer.uint(0x10, max);
}

/** Reads Levels with their length; the caller checks whether the reader failed. */
export function readLevels(reader: WireReader): Levels {
  let min = 0;
  let max = 0;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) min = reader.uint();
    else if (tag === 0x10) max = reader.uint();
    else reader.skip(tag);
  }
  if (min < 1 || max < min) reader.fail();
  reader.leave(outer);
  return { min, max };
}
