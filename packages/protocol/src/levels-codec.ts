import type { Levels } from "@coterie/core";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Field 32 of Batch and BatchAck: what older builds skip. */
export const helloTag: number = 0x102;

/** Field 33 of Batch: what older builds skip. */
export const answerLimitsTag: number = 0x10a;

const sizeHint = 12;

/** Writes the levels that a node speaks as a field of a hello, or of the answer to one. */
export function writeHello(writer: WireWriter, levels: Levels): void {
  const start = writer.open(helloTag, sizeHint);
  writeLevels(writer, levels);
  writer.close(start, sizeHint);
}

/** Writes which answers the sender of a hello takes on its stream. */
export function writeAnswerLimits(writer: WireWriter, recordBytesMax: number): void {
  const start = writer.open(answerLimitsTag, sizeHint);
  writer.uint(0x08, recordBytesMax);
  writer.close(start, sizeHint);
}

/** Bytes of an answer with records; `undefined` if there is no limit. */
export function readAnswerLimits(reader: WireReader): number | undefined {
  let recordBytesMax = 0;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) recordBytesMax = reader.uint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return recordBytesMax === 0 ? undefined : recordBytesMax;
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
