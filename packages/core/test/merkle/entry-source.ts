import {
  type Digest,
  type EntryPage,
  type InTurns,
  type RangeDigest,
  type TokenSpan,
  type TreeEntry,
  type TreeSource,
  compareTokens,
  emptyRange,
  joinRanges,
  partitionOf,
} from "../../src/index.ts";

/** A replica in memory: what it holds, as a list. */
export class EntrySource implements TreeSource {
  readonly partitions: number;
  readonly shared: readonly number[];
  readonly #entries: readonly (readonly TreeEntry[])[];

  constructor(partitions: number, shared: readonly number[], entries: readonly TreeEntry[]) {
    this.partitions = partitions;
    this.shared = shared;
    const sorted = entries.toSorted((left, right) => compareTokens(left.token, right.token));
    this.#entries = Array.from({ length: partitions }, (_, partition) =>
      sorted.filter(({ token }) => partitionOf(token, partitions) === partition),
    );
  }

  root(partition: number): RangeDigest {
    return sumOf(this.#within(partition, undefined));
  }

  digest(partition: number, span: TokenSpan): InTurns<RangeDigest> {
    return afterATurn(sumOf(this.#within(partition, span)));
  }

  entries(
    partition: number,
    span: TokenSpan | undefined,
    { after, limit }: EntryPage,
  ): InTurns<readonly TreeEntry[]> {
    const all = this.#within(partition, span).filter(
      ({ token }) => after === undefined || compareTokens(token, after) > 0,
    );
    const last = all[limit - 1]?.token;
    return afterATurn(
      last === undefined ? all : all.filter(({ token }) => compareTokens(token, last) <= 0),
    );
  }

  #within(partition: number, span: TokenSpan | undefined): readonly TreeEntry[] {
    return (this.#entries[partition] as readonly TreeEntry[]).filter(
      ({ token }) =>
        (span === undefined || compareTokens(token, span.from) >= 0) &&
        (span?.until === undefined || compareTokens(token, span.until) < 0),
    );
  }
}

function* afterATurn<Result>(result: Result): InTurns<Result> {
  yield;
  return result;
}

function sumOf(entries: readonly TreeEntry[]): RangeDigest {
  return entries.map(({ digest }) => ({ ...digest, count: 1 })).reduce(joinRanges, emptyRange);
}

/** A digest of which no other is made up by XOR, for a few. */
export function digestNamed(number: number): Digest {
  return { high: Math.imul(number, 0x9e3779b1) >>> 0, low: Math.imul(number, 0x85ebca6b) >>> 0 };
}

/** Has work done at once that would let others have a turn. */
export function atOnce<Result>(work: InTurns<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
