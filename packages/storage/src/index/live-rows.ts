import type { PartitionId, Token } from "@coterie/core";
import { isWideIn, lengthIn } from "./length-word.ts";
import type { Location } from "./location.ts";

/** An index entry with its token. */
export interface LiveEntry {
  readonly partition: PartitionId;
  readonly token: Token;
  readonly location: Location;
}

/** Words of an index slot. */
const slotWords = 8;
/** Words per row: the partition, then those of the slot. */
const stride = 1 + slotWords;
/** Rows in one pass; the rest waits for the next one. Offset and row fit 53 bits together. */
const rowsMax = 2 ** 21;

/** Index entries gathered for a pass over their segments, in the order of the log. */
export class LiveRows {
  #words: Uint32Array = new Uint32Array(64 * stride);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Copies the index slot whose words begin at `at`. */
  push(partition: PartitionId, slots: Uint32Array, at: number): void {
    if (this.#count === rowsMax) return;
    const to = this.#count * stride;
    if (to === this.#words.length) {
      const grown = new Uint32Array(this.#words.length * 2);
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#words[to] = partition;
    for (let word = 0; word < slotWords; word += 1) {
      this.#words[to + 1 + word] = slots[at + word] as number;
    }
    this.#count += 1;
  }

  entry(row: number): LiveEntry {
    const at = row * stride;
    const word = (index: number): number => this.#words[at + index] as number;
    return {
      partition: word(0),
      token: { high: word(1), low: word(2) },
      location: {
        segment: word(3),
        offset: word(4),
        length: lengthIn(word(5)),
        digest: { high: word(6), low: word(7) },
        due: word(8),
        isWide: isWideIn(word(5)),
      },
    };
  }

  /** The rows of one segment in the order of the log. */
  *inOrder(segment: number): Generator<LiveEntry> {
    // A typed array sorts numbers without calling back: so offset and row become one number.
    const keys = new Float64Array(this.#count);
    let count = 0;
    for (let row = 0; row < this.#count; row += 1) {
      if (this.#words[row * stride + 3] !== segment) continue;
      keys[count] = (this.#words[row * stride + 4] as number) * rowsMax + row;
      count += 1;
    }
    for (const key of keys.subarray(0, count).sort()) yield this.entry(key % rowsMax);
  }
}
