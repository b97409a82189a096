import { fnvText } from "./fnv.ts";

/** How a generator's share of the keys is numbered: every `stride`-th, from `offset` on. */
export interface Share {
  readonly offset: number;
  readonly stride: number;
}

/** The number of a share that is nearest to `number`, from below where there is one. */
export function ownNumber(number: number, { offset, stride }: Share): number {
  const own = number - (number % stride) + offset;
  return own <= number ? own : Math.max(offset, own - stride);
}

/**
 * Numbered keys. Inserts take the next numbers; a number counts as there only when it and all
 * before it were acknowledged, so that reads of the newest never run ahead of their writes.
 */
export class KeySpace {
  readonly #prefix: string;
  readonly #share: Share;
  readonly #early = new Set<number>();
  #next: number;
  #count: number;

  /** `loaded` keys are there already. */
  constructor(prefix: string, loaded: number, share: Share = { offset: 0, stride: 1 }) {
    this.#prefix = prefix;
    this.#share = share;
    this.#count = loaded;
    this.#next = loaded;
  }

  /** How many keys are there. */
  get count(): number {
    return this.#count;
  }

  /** How many numbers were given out. */
  get taken(): number {
    return this.#next;
  }

  /** The key of a number: as ASCII, spread over the ring whatever the number. */
  key(number: number): string {
    return `${this.#prefix}${fnvText(number)}`;
  }

  /** The number of the next key to insert. */
  take(): number {
    const { offset, stride } = this.#share;
    this.#next += (((offset - this.#next) % stride) + stride) % stride;
    this.#next += 1;
    return this.#next - 1;
  }

  /** The key of this number was inserted, or will never be. */
  settle(number: number): void {
    this.#early.add(number);
    const { offset, stride } = this.#share;
    for (;;) {
      // Those of other generators are taken to be there: they insert at the same rate.
      const isOurs = this.#count % stride === offset % stride;
      if (isOurs && !this.#early.delete(this.#count)) return;
      if (!isOurs && this.#count >= this.#next) return;
      this.#count += 1;
    }
  }
}
