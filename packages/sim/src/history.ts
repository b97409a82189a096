import type { FailureOutcome } from "@coterie/core";

/** Names one write of a simulation: every put carries its own id as value. */
export type WriteNumber = number;

/** `ok`, or what a failure said of itself; `unknown` too while the client has no answer. */
export type ClientOutcome = "ok" | FailureOutcome;

/** One put or delete, as its client saw it. */
export interface ClientWrite {
  readonly number: WriteNumber;
  readonly key: string;
  readonly kind: "put" | "delete";
  /** The writes in the read whose context this one carried; none for a blind write. */
  readonly saw: readonly WriteNumber[];
  readonly invokedMs: number;
  settledMs: number;
  outcome: ClientOutcome;
}

/** One successful strict read, as its client saw it. */
export interface ClientRead {
  readonly key: string;
  readonly values: readonly WriteNumber[];
  readonly invokedMs: number;
  readonly settledMs: number;
}

/**
 * What clients did and saw. Invariants are defined on this alone, never on the store's own clocks:
 * a store that confuses its clocks would otherwise be judged by its own confusion.
 */
export class History {
  readonly writes: ClientWrite[] = [];
  readonly reads: ClientRead[] = [];
  readonly #pasts = new Map<WriteNumber, ReadonlySet<WriteNumber>>();

  write(number: WriteNumber): ClientWrite | undefined {
    return this.writes[number];
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

  /** Deletes of `key` that knew of the write and may have happened. */
  deletesOf(number: WriteNumber, key: string): readonly ClientWrite[] {
    return this.writes.filter(
      (write) =>
        write.kind === "delete" &&
        write.key === key &&
        write.outcome !== "refused" &&
        this.pastOf(write.number).has(number),
    );
  }
}

/** What replicas hold once faults are healed and all is quiet. */
export interface FinalState {
  readonly key: string;
  /** Values of a read from all n replicas. */
  readonly values: readonly WriteNumber[];
  /** Digest of each replica's own copy, by node; empty where it has none. */
  readonly copies: ReadonlyMap<string, string>;
}

/** One broken promise, in words. */
export interface Violation {
  readonly checker: string;
  readonly key: string;
  readonly detail: string;
}

export type Checker = (history: History, final: readonly FinalState[]) => readonly Violation[];
