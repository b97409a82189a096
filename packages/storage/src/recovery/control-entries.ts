import { type ActorId, ByteReader, ByteWriter, type PartitionId, type Token } from "@coterie/core";
import type { DamagedEntry } from "./damage.ts";

// Bodies of the log entries that are not records.

export interface ActorMark {
  readonly actor: ActorId;
  /** For an actor entry, counters reserved up to here; for a clean stop, the last one minted. */
  readonly counter: number;
}

export function encodeActorMark({ actor, counter }: ActorMark): Uint8Array {
  const writer = new ByteWriter(16);
  writer.hex(actor);
  writer.u48(counter);
  return writer.finish();
}

export function decodeActorMark(body: Uint8Array): ActorMark | undefined {
  const reader = new ByteReader(body);
  const actor = reader.hex(8) as ActorId;
  const counter = reader.u48();
  return reader.failed ? undefined : { actor, counter };
}

/** What is damaged, or was made good: one entry, a partition, or the directory as a whole. */
export type DamageMark = DamagedEntry | PartitionId | "directory";

const partitionMarkBytes = 4;

export function encodeDamageMark(damaged: DamageMark): Uint8Array {
  const writer = new ByteWriter(20);
  if (typeof damaged === "number") writer.u32(damaged);
  else if (damaged !== "directory") writeDamagedEntry(writer, damaged);
  return writer.finish();
}

export function decodeDamageMark(body: Uint8Array): DamageMark {
  if (body.length === 0) return "directory";
  const reader = new ByteReader(body);
  return body.length === partitionMarkBytes ? reader.u32() : readDamagedEntry(reader);
}

export function writeDamagedEntry(writer: ByteWriter, damaged: DamagedEntry): void {
  writer.u32(damaged.partition);
  writer.u32(damaged.token.high);
  writer.u32(damaged.token.low);
  writer.u32(damaged.segment);
  writer.u32(damaged.offset);
}

export function readDamagedEntry(reader: ByteReader): DamagedEntry {
  const partition = reader.u32();
  const token: Token = { high: reader.u32(), low: reader.u32() };
  return { partition, token, segment: reader.u32(), offset: reader.u32() };
}
