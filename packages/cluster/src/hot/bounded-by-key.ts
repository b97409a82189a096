import { type Key, type Token, equalBytes, tokenId } from "@coterie/core";

export type PlacedName = Key & { readonly token: Token };

interface Entry<Kept> {
  readonly bucket: string;
  readonly key: Uint8Array;
  readonly kept: Kept;
  readonly bytes: number;
}

/** One entry takes this share of all at most. */
const shareMax = 8;
/** What an entry takes besides what is kept and its key, roughly. */
const entryBytes = 512;

/** Something for each of some keys, in so many bytes. What was used longest ago gives way. */
export class BoundedByKey<Kept> {
  readonly #bytesMax: number;
  /** In the order of use, by 53 bits of the token: of keys that share them one is kept. */
  readonly #entries = new Map<number, Entry<Kept>>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Memory that all of it takes, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  find({ bucket, key, token }: PlacedName): Kept | undefined {
    if (this.#entries.size === 0) return undefined;
    const id = tokenId(token);
    const entry = this.#entries.get(id);
    if (entry?.bucket !== bucket || !equalBytes(entry.key, key)) return undefined;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    return entry.kept;
  }

  /** Keeps this, of so many bytes, in place of what there is for its key. */
  keep({ bucket, key, token }: PlacedName, kept: Kept, ownBytes: number): void {
    const id = tokenId(token);
    this.#drop(id);
    const bytes = ownBytes + key.length + entryBytes;
    if (bytes * shareMax > this.#bytesMax) return;
    this.#entries.set(id, { bucket, key: key.slice(), kept, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#drop(oldest);
    }
  }

  #drop(id: number): void {
    this.#bytes -= this.#entries.get(id)?.bytes ?? 0;
    this.#entries.delete(id);
  }
}
