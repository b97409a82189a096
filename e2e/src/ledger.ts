/** What is known of one key that a single writer overwrites again and again. */
interface KeyState {
  /** Number of the last acknowledged write; −1 for none. */
  acknowledged: number;
  /** Number of the last write sent. */
  sent: number;
}

export interface LedgerCounts {
  readonly keys: number;
  readonly acknowledged: number;
}

/**
 * Every acknowledged write, kept outside the store under test. Each key has one writer, which
 * counts up: so the key must hold its last acknowledged number, or one that was sent after it.
 */
export class Ledger {
  readonly #keys = new Map<string, KeyState>();
  #acknowledged = 0;

  sent(key: string, number: number): void {
    const state = this.#keys.get(key);
    if (state === undefined) this.#keys.set(key, { acknowledged: -1, sent: number });
    else state.sent = number;
  }

  acknowledge(key: string, number: number): void {
    const state = this.#keys.get(key);
    if (state !== undefined && number > state.acknowledged) state.acknowledged = number;
    this.#acknowledged += 1;
  }

  get counts(): LedgerCounts {
    return { keys: this.#keys.size, acknowledged: this.#acknowledged };
  }

  keys(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /** How the values read for a key compare with what was promised. */
  judge(key: string, values: readonly string[]): "kept" | "lost" | "corrupt" {
    const state = this.#keys.get(key);
    if (state === undefined) return "corrupt";
    const numbers = values.map((value) => numberIn(key, value));
    if (numbers.some((number) => number === undefined || number > state.sent)) return "corrupt";
    if (state.acknowledged < 0) return "kept";
    return numbers.some((number) => (number as number) >= state.acknowledged) ? "kept" : "lost";
  }
}

/** The value that write `number` of `key` stores: long enough that a torn one is recognised. */
export function valueOf(key: string, number: number): string {
  return `${key}#${number}#`.padEnd(100, "abcdefghij");
}

function numberIn(key: string, value: string): number | undefined {
  const number = Number(value.slice(key.length + 1).split("#", 1)[0]);
  return Number.isInteger(number) && value === valueOf(key, number) ? number : undefined;
}
