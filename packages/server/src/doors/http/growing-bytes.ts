/**
 * Bytes that arrive in pieces, in one memory that grows with what has arrived. Kept as a list,
 * pieces of a byte each would take a hundred times their size.
 */
export class GrowingBytes {
  #bytes = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) {
      // The first piece is often the only one; from then on it doubles.
      const grown = new Uint8Array(this.#length === 0 ? length : length * 2);
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
  }

  /** All of them, in memory of their own; what comes next begins anew. */
  take(): Uint8Array {
    const taken =
      this.#length === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#length);
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    return taken;
  }
}
