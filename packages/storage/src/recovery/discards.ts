import { ByteReader, ByteWriter, type PartitionId } from "@coterie/core";
import type { RecordIndex } from "../index/record-index.ts";
import { ownLsn } from "./removals.ts";

/**
 * Says that a partition was thrown away: of what was appended before `lsn` nothing is held there
 * any more. Like a removal, it must be in the log as long as such a record may be.
 */
export interface Discard {
  readonly partition: PartitionId;
  readonly lsn: number;
  /** As of a removal. */
  readonly horizon: number;
}

/** Bytes of a discard in the log. */
const discardBytes = 14;

export function encodeDiscard(discard: Discard): Uint8Array {
  const writer = new ByteWriter(discardBytes);
  writeDiscard(writer, discard);
  return writer.finish();
}

/** The discard of an entry with this lsn, and whether this is where it was first written. */
export function decodeDiscard(
  body: Uint8Array,
  lsn: number,
): { readonly discard: Discard; readonly isFirst: boolean } | undefined {
  if (body.length !== discardBytes) return undefined;
  const discard = readDiscard(new ByteReader(body));
  const isFirst = discard.lsn === ownLsn;
  return { discard: isFirst ? { ...discard, lsn } : discard, isFirst };
}

export function writeDiscard(writer: ByteWriter, { partition, lsn, horizon }: Discard): void {
  writer.u32(partition);
  writer.u48(lsn);
  writer.u32(horizon);
}

export function readDiscard(reader: ByteReader): Discard {
  return { partition: reader.u32(), lsn: reader.u48(), horizon: reader.u32() };
}

/** A discard, and the segment that it was written to last. */
export interface WrittenDiscard {
  readonly segment: number;
  readonly discard: Discard;
}

/**
 * The discards that must not be forgotten yet, the last of each partition. In the segment it was
 * written to each counts as live, as a removal does.
 */
export class Discards {
  readonly #index: RecordIndex;
  readonly #byPartition = new Map<PartitionId, WrittenDiscard>();

  constructor(index: RecordIndex) {
    this.#index = index;
  }

  all(): readonly WrittenDiscard[] {
    return [...this.#byPartition.values()];
  }

  add(segment: number, discard: Discard): void {
    this.#forget(discard.partition);
    this.#byPartition.set(discard.partition, { segment, discard });
    this.#index.use(segment).live += discardBytes;
  }

  /** Forgets those from before the oldest segment that there is. */
  forgetBefore(oldest: number): void {
    for (const { discard } of this.all()) {
      if (discard.horizon < oldest) this.#forget(discard.partition);
    }
  }

  #forget(partition: PartitionId): void {
    const known = this.#byPartition.get(partition);
    if (known === undefined) return;
    this.#byPartition.delete(partition);
    this.#index.use(known.segment).live -= discardBytes;
  }
}
