import type { Token } from "@coterie/core";
import type { DamagedToken } from "../store.ts";

/** What this directory is known to have lost. Until it is refilled, reads of it are *unknown*. */
export class Damage {
  readonly #tokens = new Map<string, DamagedToken>();
  /** False while keys that nobody can name may be missing. */
  isWhole = true;

  add(damaged: DamagedToken): boolean {
    const name = nameOf(damaged.token);
    if (this.#tokens.has(name)) return false;
    this.#tokens.set(name, damaged);
    return true;
  }

  has(token: Token): boolean {
    return this.#tokens.size > 0 && this.#tokens.has(nameOf(token));
  }

  remove(token: Token): boolean {
    return this.#tokens.delete(nameOf(token));
  }

  tokens(): readonly DamagedToken[] {
    return [...this.#tokens.values()];
  }
}

function nameOf(token: Token): string {
  return `${token.high}:${token.low}`;
}
