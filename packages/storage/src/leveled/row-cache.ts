import type { Token } from "@coterie/core";
import { tokenName, weightOf } from "./mem-table.ts";
import type { TokenRow } from "./token-row.ts";

/** A row may take this share of the cache, so that one does not drive out all others. */
const rowShareMax = 8;

/** Rows of the engine that were recently read or written: least recently used ones give way. */
export class RowCache {
  readonly #bytesMax: number;
  /** In the order of their last use. */
  readonly #rows = new Map<string, TokenRow>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get(token: Token): TokenRow | undefined {
    const name = tokenName(token);
    const row = this.#rows.get(name);
    if (row === undefined) return undefined;
    this.#rows.delete(name);
    this.#rows.set(name, row);
    return row;
  }

  set(token: Token, row: TokenRow): void {
    this.delete(token);
    const weight = weightOf(row);
    if (weight * rowShareMax > this.#bytesMax) return;
    this.#rows.set(tokenName(token), row);
    this.#bytes += weight;
    for (const [name, oldest] of this.#rows) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#rows.delete(name);
      this.#bytes -= weightOf(oldest);
    }
  }

  delete(token: Token): void {
    const name = tokenName(token);
    const row = this.#rows.get(name);
    if (row === undefined) return;
    this.#rows.delete(name);
    this.#bytes -= weightOf(row);
  }

  clear(): void {
    this.#rows.clear();
    this.#bytes = 0;
  }
}
