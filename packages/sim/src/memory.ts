/** Where the bytes come from that disks hold and messages carry. */
export interface Memory {
  /** `length` bytes, all zero, which nobody else holds. */
  take(length: number): Uint8Array;
  /** `bytes` in memory of their own. */
  copy(bytes: Uint8Array): Uint8Array;
}

const chunkBytes = 1024 * 1024;

/**
 * Memory for one world after the other: nothing is given back before {@link reuse}, and then all of
 * it. For V8 a run's disks and messages would be buffers by the thousand, and what they take makes
 * it collect fully every second; with each full collection it forgets the optimized code of every
 * closure that nobody holds just then, and compiles it again.
 */
export class Arena implements Memory {
  readonly #chunks: Uint8Array[] = [];
  #current = 0;
  #at = 0;

  take(length: number): Uint8Array {
    if (length > chunkBytes) return new Uint8Array(length);
    let chunk = this.#chunks[this.#current];
    if (chunk === undefined || this.#at + length > chunkBytes) chunk = this.#nextChunk();
    const start = this.#at;
    this.#at += length;
    return chunk.subarray(start, this.#at);
  }

  copy(bytes: Uint8Array): Uint8Array {
    const own = this.take(bytes.length);
    own.set(bytes);
    return own;
  }

  /** Takes back all that was taken: the caller knows that nobody uses any of it any more. */
  reuse(): void {
    for (const [index, chunk] of this.#chunks.entries()) {
      if (index < this.#current) chunk.fill(0);
      else if (index === this.#current) chunk.fill(0, 0, this.#at);
    }
    this.#current = 0;
    this.#at = 0;
  }

  #nextChunk(): Uint8Array {
    if (this.#chunks[this.#current] !== undefined) this.#current += 1;
    this.#at = 0;
    const next = this.#chunks[this.#current] ?? new Uint8Array(chunkBytes);
    this.#chunks[this.#current] = next;
    return next;
  }
}
