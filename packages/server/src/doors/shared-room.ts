import type { ByteBudget } from "./byte-budget.ts";

/** Of a budget, what each connection has besides: 32 KiB of 256 MiB. */
const ownShare = 8192;

/**
 * What one connection holds of bytes that have come and cannot be used yet. A few are its own, and
 * only what it takes beyond them is of a budget that it shares with all others: so who begins large
 * values and never ends them leaves no room for large ones, and room for small ones.
 */
export class SharedRoom {
  readonly #budget: ByteBudget;
  readonly #ownBytesMax: number;
  #bytes = 0;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
    this.#ownBytesMax = Math.floor(budget.bytesMax / ownShare);
  }

  take(bytes: number): boolean {
    const more = this.#sharedOf(this.#bytes + bytes) - this.#sharedOf(this.#bytes);
    if (!this.#budget.take(more)) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#budget.give(this.#sharedOf(this.#bytes) - this.#sharedOf(this.#bytes - bytes));
    this.#bytes -= bytes;
  }

  #sharedOf(bytes: number): number {
    return Math.max(0, bytes - this.#ownBytesMax);
  }
}
