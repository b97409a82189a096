/** Which records of a file are done, small enough to save often. */
export interface AcknowledgedState {
  /** Every record up to this number is done. */
  readonly number: number;
  /** The file's offset after record `number`. */
  readonly offset: number;
  /** Inclusive ranges of record numbers beyond that are done too. */
  readonly ranges: readonly (readonly [number, number])[];
}

/** Nothing is done yet. */
export const nothingAcknowledged: AcknowledgedState = { number: 0, offset: 0, ranges: [] };

interface OpenRecord {
  readonly number: number;
  readonly end: number;
  isDone: boolean;
}

/**
 * Follows records that are begun in order and finish in any order. A file is resumed from the
 * longest finished prefix, and what finished beyond it is not done again.
 */
export class Acknowledged {
  #number: number;
  #offset: number;
  /** In order of their numbers; the first one is not done. */
  #open: OpenRecord[] = [];
  readonly #earlier: readonly (readonly [number, number])[];

  constructor(resumed: AcknowledgedState) {
    this.#number = resumed.number;
    this.#offset = resumed.offset;
    this.#earlier = resumed.ranges;
  }

  /** Records begun and not yet part of the finished prefix. */
  get openCount(): number {
    return this.#open.length;
  }

  /** An earlier run has done this one. */
  wasDone(number: number): boolean {
    return this.#earlier.some(([first, last]) => number >= first && number <= last);
  }

  /** Begins a record; call the result once, when it is done. */
  begin(number: number, end: number): () => void {
    const record: OpenRecord = { number, end, isDone: false };
    this.#open.push(record);
    return () => {
      record.isDone = true;
      this.#advance();
    };
  }

  state(): AcknowledgedState {
    const ranges: [number, number][] = [];
    for (const { number, isDone } of this.#open) {
      if (!isDone) continue;
      const last = ranges.at(-1);
      if (last !== undefined && last[1] === number - 1) last[1] = number;
      else ranges.push([number, number]);
    }
    // What an earlier run did beyond the records begun so far is still done.
    const begun = this.#open.at(-1)?.number ?? this.#number;
    for (const [first, last] of this.#earlier) {
      if (last > begun) ranges.push([Math.max(first, begun + 1), last]);
    }
    return { number: this.#number, offset: this.#offset, ranges };
  }

  #advance(): void {
    let done = 0;
    while (this.#open[done]?.isDone === true) done += 1;
    const last = this.#open[done - 1];
    if (last === undefined) return;
    this.#number = last.number;
    this.#offset = last.end;
    this.#open.splice(0, done);
  }
}
