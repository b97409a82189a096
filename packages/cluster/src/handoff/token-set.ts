import type { Token } from "@coterie/core";

const slotsMin = 8;

/**
 * Tokens, each once, in 11 to 22 bytes a piece: a hash table over two halves of 32 bits. A `Set` of
 * objects or texts takes five times as much, and there may be a million of them.
 */
export class TokenSet implements Iterable<Token> {
  /** High and low halves side by side; both 0 where there is nothing. */
  #slots = new Uint32Array(2 * slotsMin);
  #count = 0;
  #hasZero = false;

  get size(): number {
    return this.#count + (this.#hasZero ? 1 : 0);
  }

  /** False if it was there already. */
  add({ high, low }: Token): boolean {
    if (high === 0 && low === 0) {
      const isNew = !this.#hasZero;
      this.#hasZero = true;
      return isNew;
    }
    if (!this.#place(high, low)) return false;
    this.#count += 1;
    if (this.#count * 8 > this.#slots.length * 3) this.#grow();
    return true;
  }

  *[Symbol.iterator](): Iterator<Token> {
    if (this.#hasZero) yield { high: 0, low: 0 };
    const slots = this.#slots;
    for (let at = 0; at < slots.length; at += 2) {
      const high = slots[at] as number;
      const low = slots[at + 1] as number;
      if (high !== 0 || low !== 0) yield { high, low };
    }
  }

  /** Tokens are hashes already; those of one partition share the upper bits of `high`. */
  #place(high: number, low: number): boolean {
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    let at = low & mask;
    for (;;) {
      const heldHigh = slots[2 * at];
      const heldLow = slots[2 * at + 1];
      if (heldHigh === high && heldLow === low) return false;
      if (heldHigh === 0 && heldLow === 0) break;
      at = (at + 1) & mask;
    }
    slots[2 * at] = high;
    slots[2 * at + 1] = low;
    return true;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Uint32Array(before.length * 2);
    for (let at = 0; at < before.length; at += 2) {
      const high = before[at] as number;
      const low = before[at + 1] as number;
      if (high !== 0 || low !== 0) this.#place(high, low);
    }
  }
}
