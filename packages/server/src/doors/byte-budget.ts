/** Bytes of one kind that all connections may hold together. */
export class ByteBudget {
  readonly bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True if there is room for so many more. */
  has(bytes: number): boolean {
    return this.#bytes + bytes <= this.bytesMax;
  }

  /** Counts bytes that are there already, whether or not there was room for them. */
  hold(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Nothing is always to be had. */
  take(bytes: number): boolean {
    if (bytes > 0 && !this.has(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}
