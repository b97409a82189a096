import { ByteReader, ByteWriter, type Token } from "@coterie/core";
import type { RecordIndex } from "../index/record-index.ts";

/**
 * Says that the token's only record was removed for good: of what was appended before `lsn` nothing
 * is held there any more. It must be in the log as long as such a record may be, for a start that
 * finds no checkpoint.
 */
export interface Removal {
  readonly token: Token;
  readonly lsn: number;
  /** The highest number that a segment had by then: later ones hold nothing from before it. */
  readonly horizon: number;
}

/** Bytes of a removal in the log; an entry holds one or more. */
const removalBytes = 18;
/** Removals written again in one entry. */
const batchMax = 256;
/** So many are no reason to rewrite anything: they are a few hundred kilobytes. */
const fewMax = 4096;
/** And so are those that are few beside the records. */
const fewShare = 1 / 8;

/** The lsn that stands for the entry's own, which is not known before it is appended. */
export const ownLsn = 0;

export function encodeRemovals(removals: readonly Removal[]): Uint8Array {
  const writer = new ByteWriter(removals.length * removalBytes);
  for (const removal of removals) writeRemoval(writer, removal);
  return writer.finish();
}

/** The removals of an entry with this lsn; `undefined` if these are not whole ones. */
export function decodeRemovals(body: Uint8Array, lsn: number): readonly Removal[] | undefined {
  if (body.length === 0 || body.length % removalBytes !== 0) return undefined;
  const reader = new ByteReader(body);
  return Array.from({ length: body.length / removalBytes }, () => {
    const removal = readRemoval(reader);
    return removal.lsn === ownLsn ? { ...removal, lsn } : removal;
  });
}

export function writeRemoval(writer: ByteWriter, { token, lsn, horizon }: Removal): void {
  writer.u32(token.high);
  writer.u32(token.low);
  writer.u48(lsn);
  writer.u32(horizon);
}

export function readRemoval(reader: ByteReader): Removal {
  const token = { high: reader.u32(), low: reader.u32() };
  return { token, lsn: reader.u48(), horizon: reader.u32() };
}

const numbersPerRow = 4;
const firstRows = 16;

/** Removals in one array of numbers: there may be millions. */
class RemovalRows {
  #numbers: Float64Array = new Float64Array(firstRows * numbersPerRow);
  count = 0;

  push({ token, lsn, horizon }: Removal): void {
    const at = this.count * numbersPerRow;
    if (at === this.#numbers.length) {
      const grown = new Float64Array(this.#numbers.length * 2);
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    this.#numbers[at] = token.high;
    this.#numbers[at + 1] = token.low;
    this.#numbers[at + 2] = lsn;
    this.#numbers[at + 3] = horizon;
    this.count += 1;
  }

  row(row: number): Removal {
    const number = (at: number): number => this.#numbers[row * numbersPerRow + at] as number;
    return { token: { high: number(0), low: number(1) }, lsn: number(2), horizon: number(3) };
  }

  /** Those that reach up to this segment, or beyond it. */
  since(oldest: number): RemovalRows {
    const kept = new RemovalRows();
    for (let row = 0; row < this.count; row += 1) {
      const removal = this.row(row);
      if (removal.horizon >= oldest) kept.push(removal);
    }
    return kept;
  }
}

/**
 * The removals that must not be forgotten yet, by the segment in which each was written last. There
 * they count as live: a segment is not removed before they are written again elsewhere.
 */
export class Removals {
  readonly #index: RecordIndex;
  readonly #bySegment = new Map<number, RemovalRows>();
  count = 0;

  constructor(index: RecordIndex) {
    this.#index = index;
  }

  /** Whether they are so many that segments are better rewritten, for them to be forgotten. */
  get areMany(): boolean {
    return this.count > Math.max(fewMax, this.#index.count * fewShare);
  }

  segments(): readonly number[] {
    return [...this.#bySegment.keys()];
  }

  add(segment: number, removal: Removal): void {
    let rows = this.#bySegment.get(segment);
    if (rows === undefined) {
      rows = new RemovalRows();
      this.#bySegment.set(segment, rows);
    }
    rows.push(removal);
    this.#count(segment, 1);
  }

  /** What was written to a segment, in parts that fit an entry. */
  *batchesIn(segment: number): Generator<readonly Removal[]> {
    const rows = this.#bySegment.get(segment);
    const count = rows?.count ?? 0;
    for (let from = 0; rows !== undefined && from < count; from += batchMax) {
      const length = Math.min(batchMax, count - from);
      yield Array.from({ length }, (_, at) => rows.row(from + at));
    }
  }

  *all(): Generator<{ readonly segment: number; readonly removal: Removal }> {
    for (const [segment, rows] of this.#bySegment) {
      for (let row = 0; row < rows.count; row += 1) yield { segment, removal: rows.row(row) };
    }
  }

  /** Forgets what was written to a segment: it is written elsewhere by now. */
  leave(segment: number): void {
    this.#count(segment, -(this.#bySegment.get(segment)?.count ?? 0));
    this.#bySegment.delete(segment);
  }

  /** Forgets those from before the oldest segment that there is: nothing else could contradict. */
  forgetBefore(oldest: number): void {
    for (const [segment, rows] of this.#bySegment) {
      const kept = rows.since(oldest);
      if (kept.count === rows.count) continue;
      this.#count(segment, kept.count - rows.count);
      if (kept.count > 0) this.#bySegment.set(segment, kept);
      else this.#bySegment.delete(segment);
    }
  }

  #count(segment: number, change: number): void {
    if (change === 0) return;
    this.count += change;
    this.#index.use(segment).live += change * removalBytes;
  }
}
