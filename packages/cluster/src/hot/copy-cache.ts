import { decodeRecord, invariant } from "@coterie/core";
import type { RecordVersion, StoredRecord } from "@coterie/storage";
import { BoundedByKey, type PlacedName } from "./bounded-by-key.ts";

/** A record that is at hand, and which one it is. */
export interface KnownCopy {
  readonly stored: StoredRecord;
  readonly version: RecordVersion;
}

/**
 * Records that reads have come upon, by key. None is an answer by itself: a read names the one it
 * finds here, and takes it for a replica's copy only if that replica says that it holds the same.
 */
export class CopyCache {
  readonly #copies: BoundedByKey<KnownCopy>;

  constructor(bytesMax: number) {
    this.#copies = new BoundedByKey(bytesMax);
  }

  /** Memory that the copies take, roughly. */
  get bytes(): number {
    return this.#copies.bytes;
  }

  find(place: PlacedName): KnownCopy | undefined {
    return this.#copies.find(place);
  }

  /** Keeps a record in place of what there is of its key. */
  keep(place: PlacedName, stored: StoredRecord, version: RecordVersion): void {
    const own = ownRecord(stored);
    this.#copies.keep(place, { stored: own, version }, own.bytes.length);
  }
}

/** The record in memory of its own: what came in a message keeps all of that in memory. */
export function ownRecord({ bytes }: StoredRecord): StoredRecord {
  const own = bytes.slice();
  const decoded = decodeRecord(own);
  invariant(decoded.ok, "what a read has merged was decoded before, or encoded here");
  return { record: decoded.record, bytes: own };
}
