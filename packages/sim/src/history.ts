import type { FailureOutcome } from "@coterie/core";

/** Names one write of a simulation: every put carries its own id as value. */
export type WriteNumber = number;

/** `ok`, or what a failure said of itself; `unknown` too while the client has no answer. */
export type ClientOutcome = "ok" | FailureOutcome;

/** What a bucket promises, as far as clients are concerned. */
export interface BucketPromises {
  readonly policy: "siblings" | "lww";
  /** True if reads and writes meet: r + w > n. */
  readonly isStrict: boolean;
}

/** One put or delete, as its client saw it. */
export interface ClientWrite {
  readonly number: WriteNumber;
  /** The bucket, a slash, and the key in it. */
  readonly key: string;
  readonly kind: "put" | "delete";
  /** The writes in the read whose context this one carried; none for a blind write. */
  readonly saw: readonly WriteNumber[];
  /** A delete without a context: it covers whatever its own read meets. */
  readonly isBlindDelete: boolean;
  /** It carried a context of another key. */
  readonly isForeign: boolean;
  readonly invokedMs: number;
  settledMs: number;
  outcome: ClientOutcome;
  /** The context that came with an acknowledgement. */
  context: string | undefined;
}

/** One successful read, as its client saw it. */
export interface ClientRead {
  readonly key: string;
  readonly values: readonly WriteNumber[];
  readonly invokedMs: number;
  readonly settledMs: number;
  /** False for a read that need not meet every write, for one of its own replica only. */
  readonly isStrict: boolean;
  /**
   * True if strict reads after it return what it returned, acknowledged or not: any two such reads
   * have a replica in common, 2r > n.
   */
  readonly isRepeatable: boolean;
  readonly context: string | undefined;
}

/** One scan of a whole bucket, to its end. */
export interface ClientScan {
  readonly bucket: string;
  /** What it returned, as the history names keys. */
  readonly keys: readonly string[];
  readonly invokedMs: number;
  readonly settledMs: number;
  /** True if it meets every write: r + w > n. */
  readonly isStrict: boolean;
}

/**
 * What clients did and saw. Invariants are defined on this alone, never on the store's own clocks:
 * a store that confuses its clocks would otherwise be judged by its own confusion.
 */
export class History {
  readonly writes: ClientWrite[] = [];
  readonly reads: ClientRead[] = [];
  readonly scans: ClientScan[] = [];
  readonly #promises: ReadonlyMap<string, BucketPromises>;
  readonly #pasts = new Map<WriteNumber, ReadonlySet<WriteNumber>>();
  readonly #writesByKey = new Map<string, ClientWrite[]>();
  readonly #readsByKey = new Map<string, ClientRead[]>();
  readonly #forgotten = new Map<string, number>();

  /** @param promises by bucket; strict, and of siblings, where there is none. */
  constructor(promises: ReadonlyMap<string, BucketPromises> = new Map()) {
    this.#promises = promises;
  }

  addWrite(write: ClientWrite): void {
    this.writes.push(write);
    entryOf(this.#writesByKey, write.key).push(write);
  }

  addRead(read: ClientRead): void {
    this.reads.push(read);
    entryOf(this.#readsByKey, read.key).push(read);
  }

  keys(): Iterable<string> {
    return new Set([...this.#writesByKey.keys(), ...this.#readsByKey.keys()]);
  }

  write(number: WriteNumber): ClientWrite | undefined {
    return this.writes[number];
  }

  writesOf(key: string): readonly ClientWrite[] {
    return this.#writesByKey.get(key) ?? [];
  }

  readsOf(key: string): readonly ClientRead[] {
    return this.#readsByKey.get(key) ?? [];
  }

  /**
   * Since `sinceMs` one of the key's owners has lost what it had acknowledged, and does not know
   * it: of reads that end later no freshness is promised.
   */
  noteForgotten(key: string, sinceMs: number): void {
    this.#forgotten.set(key, Math.min(sinceMs, this.forgottenSince(key)));
  }

  forgottenSince(key: string): number {
    return this.#forgotten.get(key) ?? Number.POSITIVE_INFINITY;
  }

  promisesOf(key: string): BucketPromises {
    const promises = this.#promises.get(key.slice(0, key.indexOf("/")));
    return promises ?? { policy: "siblings", isStrict: true };
  }

  /** The causal past of a write: what it saw, what that saw, and so on. Itself left out. */
  pastOf(number: WriteNumber): ReadonlySet<WriteNumber> {
    const known = this.#pasts.get(number);
    if (known !== undefined) return known;
    const past = new Set<WriteNumber>();
    for (const seen of this.writes[number]?.saw ?? []) {
      past.add(seen);
      for (const earlier of this.pastOf(seen)) past.add(earlier);
    }
    this.#pasts.set(number, past);
    return past;
  }

  /** True if some value of `values` is the write, or was written by someone who knew of it. */
  isCovered(number: WriteNumber, values: readonly WriteNumber[]): boolean {
    return values.some((value) => value === number || this.pastOf(value).has(number));
  }

  /** Deletes that may have happened and may have covered the put; in an `lww` bucket, any. */
  deletesOf({ number, key, invokedMs }: ClientWrite): readonly ClientWrite[] {
    const isLww = this.promisesOf(key).policy === "lww";
    return this.writesOf(key).filter((write) => {
      if (write.kind !== "delete" || write.outcome === "refused") return false;
      if (isLww || this.pastOf(write.number).has(number)) return true;
      const isOver = write.outcome === "ok" && write.settledMs < invokedMs;
      return write.isBlindDelete && !isOver;
    });
  }
}

function entryOf<Item>(map: Map<string, Item[]>, key: string): Item[] {
  let items = map.get(key);
  if (items === undefined) {
    items = [];
    map.set(key, items);
  }
  return items;
}

/** What replicas hold once faults are healed and all is quiet. */
export interface FinalState {
  readonly key: string;
  /** Values of a read from all n replicas. */
  readonly values: readonly WriteNumber[];
  /** Digest of each owner's own copy, by node, or its state where it has none. */
  readonly copies: ReadonlyMap<string, string>;
}

/** One broken promise, in words. */
export interface Violation {
  readonly checker: string;
  readonly key: string;
  readonly detail: string;
}

export type Checker = (history: History, final: readonly FinalState[]) => readonly Violation[];
