import { type Key, type Token, decodeRecord, equalBytes, invariant, tokenId } from "@coterie/core";
import type { RecordVersion, StoredRecord } from "@coterie/storage";

/** A record that is at hand, and which one it is. */
export interface KnownCopy {
  readonly stored: StoredRecord;
  readonly version: RecordVersion;
}

interface KeptCopy extends KnownCopy {
  readonly bucket: string;
  readonly key: Uint8Array;
}

/** A record takes this share of all at most. */
const shareMax = 8;
/** What an entry takes besides its record and its key, roughly. */
const entryBytes = 512;

/**
 * Records that reads have come upon, by key. None is an answer by itself: a read names the one it
 * finds here, and takes it for a replica's copy only if that replica says that it holds the same.
 * What was used longest ago gives way.
 */
export class CopyCache {
  readonly #bytesMax: number;
  /** In the order of use, by 53 bits of the token: of keys that share them one is kept. */
  readonly #copies = new Map<number, KeptCopy>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Memory that the copies take, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  find({ bucket, key, token }: Key & { readonly token: Token }): KnownCopy | undefined {
    if (this.#copies.size === 0) return undefined;
    const id = tokenId(token);
    const kept = this.#copies.get(id);
    if (kept?.bucket !== bucket || !equalBytes(kept.key, key)) return undefined;
    this.#copies.delete(id);
    this.#copies.set(id, kept);
    return kept;
  }

  /** Keeps a record in place of what there is of its key. */
  keep(
    { bucket, key, token }: Key & { readonly token: Token },
    { bytes }: StoredRecord,
    version: RecordVersion,
  ): void {
    const id = tokenId(token);
    this.#drop(id);
    if (sizeOf(bytes, key) * shareMax > this.#bytesMax) return;
    // What came in a message keeps all of it in memory.
    const own = bytes.slice();
    const decoded = decodeRecord(own);
    invariant(decoded.ok, "what a read has merged was decoded before, or encoded here");
    const stored = { record: decoded.record, bytes: own };
    this.#copies.set(id, { bucket, key: key.slice(), stored, version });
    this.#bytes += sizeOf(bytes, key);
    for (const oldest of this.#copies.keys()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#drop(oldest);
    }
  }

  #drop(id: number): void {
    const kept = this.#copies.get(id);
    if (kept === undefined) return;
    this.#copies.delete(id);
    this.#bytes -= sizeOf(kept.stored.bytes, kept.key);
  }
}

/** A record is in memory as bytes and, decoded, as objects that view them. */
function sizeOf(bytes: Uint8Array, key: Uint8Array): number {
  return bytes.length + key.length + entryBytes;
}
