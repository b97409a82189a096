import type { FailureOutcome } from "@coterie/core";
import { Lifetimes } from "./lifetimes.ts";

/** Names one write of a simulation: every put carries its own id as value. */
export type WriteNumber = number;

/** `ok`, or what a failure said of itself; `unknown` too while the client has no answer. */
export type ClientOutcome = "ok" | FailureOutcome;

/** What a bucket promises, as far as clients are concerned. */
export interface BucketPromises {
  readonly policy: "siblings" | "lww";
  readonly n: number;
  readonly r: number;
  readonly w: number;
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
  /** It was sent more than once, or nobody knows whether it still comes. */
  mayComeLate?: boolean;
  /** An attempt was not answered: whatever came of others, it may be carried out at any time. */
  lingers?: boolean;
  /** Of a put: how long its value lives. */
  readonly ttlMs?: number | undefined;
  readonly invokedMs: number;
  settledMs: number;
  outcome: ClientOutcome;
  /** The context that came with an acknowledgement. */
  context: string | undefined;
  /** Primaries that had it durably when it was acknowledged; left out: the bucket's w. */
  holders?: number;
  /** Primaries that the read of a delete without a context met; left out: the bucket's r. */
  readonly asked?: number;
}

/** One successful read, as its client saw it. */
export interface ClientRead {
  readonly key: string;
  readonly values: readonly WriteNumber[];
  readonly invokedMs: number;
  readonly settledMs: number;
  /** By so much what it shows may be older than it is; left out: not at all. */
  readonly staleMs?: number;
  /** False for a read of which nothing is promised but what it holds. */
  readonly isStrict: boolean;
  /** Primaries that answered; left out: the bucket's r. */
  readonly asked?: number;
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
  /** Primaries that answered for each key; left out: the bucket's r. */
  readonly asked?: number;
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
  readonly #lifetimes: Lifetimes;
  readonly #mortalByKey = new Map<string, ClientWrite[]>();
  /** One node may lose for good what it has acknowledged. */
  losesCopies: boolean = false;
  /** How long a tombstone stays at least; left out: for ever. */
  reapedAfterMs: number | undefined;
  /** When the first clock was cut: from then on contexts need not name all that was seen. */
  cutSinceMs: number = Infinity;
  /** When the final reads began, and when the last copy was looked at. */
  finalMs: { readonly from: number; readonly to: number } = { from: Infinity, to: Infinity };

  /**
   * @param promises by bucket; of siblings on one node, where there is none.
   * @param lifetimes by clocks that are all right, where it is left out.
   */
  constructor(
    promises: ReadonlyMap<string, BucketPromises> = new Map(),
    lifetimes: Lifetimes = new Lifetimes({ jumpMsMax: 0, driftPerMillionMax: 0 }),
  ) {
    this.#promises = promises;
    this.#lifetimes = lifetimes;
  }

  addWrite(write: ClientWrite): void {
    this.writes.push(write);
    entryOf(this.#writesByKey, write.key).push(write);
    if (write.ttlMs !== undefined) entryOf(this.#mortalByKey, write.key).push(write);
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
    return promises ?? { policy: "siblings", n: 1, r: 1, w: 1 };
  }

  /**
   * True if who asked so many primaries has asked one of so many that held something: whatever
   * fallbacks did beside them. This is all that is promised of requests of either mode, and of
   * both of them mixed.
   */
  meets(key: string, holders: number | undefined, asked: number | undefined): boolean {
    const { n, r, w } = this.promisesOf(key);
    return (holders ?? w) + (asked ?? r) > n;
  }

  /**
   * How many primaries hold what a repeatable read returned. Where one of them may lose it, not if
   * it was the only one: a write that nobody was told of need be nowhere else.
   */
  holdersAfter(key: string, { asked, isRepeatable }: ClientRead): number {
    const { n, r } = this.promisesOf(key);
    const holders = Math.min(asked ?? r, n - (asked ?? r) + 1);
    return isRepeatable && !(this.losesCopies && holders < 2) ? holders : 0;
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

  /** From when on no clock lets a read show what the write has put. */
  goneBy(number: WriteNumber): number {
    const write = this.writes[number];
    return write === undefined ? Infinity : this.#lifetimes.lastMs(write);
  }

  /**
   * True if something may have taken the put away by then: a delete that covered it, or the end of
   * its life, or of that of a value that had replaced it. In an `lww` bucket, any.
   */
  mayHaveEnded(write: ClientWrite, byMs: number): boolean {
    const isLww = this.promisesOf(write.key).policy === "lww";
    const { number } = write;
    const hasExpired = (mortal: ClientWrite): boolean => {
      if (mortal.outcome === "refused" || this.#lifetimes.firstMs(mortal) > byMs) return false;
      return isLww || mortal.number === number || this.pastOf(mortal.number).has(number);
    };
    return (
      (this.#mortalByKey.get(write.key)?.some(hasExpired) ?? false) ||
      this.#deletesOf(write).some(({ invokedMs }) => invokedMs <= byMs)
    );
  }

  /** True while one replica may have dropped what has expired, and another may still hold it. */
  isExpiring(key: string, from: number, to: number): boolean {
    const mortal = this.#mortalByKey.get(key) ?? [];
    return mortal.some(
      (write) =>
        write.outcome !== "refused" &&
        this.#lifetimes.firstMs(write) <= to &&
        this.#lifetimes.sweptMs(write) >= from,
    );
  }

  /** Deletes that may have happened and may have covered the put; in an `lww` bucket, any. */
  #deletesOf({ number, key, invokedMs }: ClientWrite): readonly ClientWrite[] {
    const isLww = this.promisesOf(key).policy === "lww";
    return this.writesOf(key).filter((write) => {
      if (write.kind !== "delete" || write.outcome === "refused") return false;
      if (isLww || this.pastOf(write.number).has(number)) return true;
      const isOver = write.outcome === "ok" && !write.lingers && write.settledMs < invokedMs;
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
