import { GrowingBytes } from "../growing-bytes.ts";

const newline = 0x0a;

/** Cuts bytes that arrive in pieces into lines of a limited length. */
export class LineSplitter {
  readonly #bytesMax: number;
  readonly #begun = new GrowingBytes();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * The lines that `chunk` completes, without their ends, and last `"too-long"` if one exceeds the
   * limit: nobody knows then where the next one would begin. A line may be a view of `chunk`.
   */
  *feed(chunk: Uint8Array): Generator<Uint8Array | "too-long"> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(newline, start);
      const piece = chunk.subarray(start, end < 0 ? chunk.length : end);
      if (this.#begun.length + piece.length > this.#bytesMax) {
        yield "too-long";
        return;
      }
      if (end < 0) {
        if (piece.length > 0) this.#begun.add(piece);
        return;
      }
      if (this.#begun.length === 0) yield piece;
      else {
        this.#begun.add(piece);
        yield this.#begun.take();
      }
      start = end + 1;
    }
  }

  /** What came after the last line's end. */
  rest(): Uint8Array {
    return this.#begun.take();
  }
}
