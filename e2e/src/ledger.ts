/**
 * What became of a write, as far as its author knows: `acknowledged`; `unknown`, it may have
 * happened; `refused`, it surely did not.
 */
export type WriteFate = "acknowledged" | "unknown" | "refused";

export interface Write {
  readonly key: string;
  /** Unique; `undefined` for a delete. */
  readonly value: string | undefined;
  /** What the context covered that this write was sent with. */
  readonly covers: readonly Write[];
  fate: WriteFate;
}

/** How what is held of a key compares with what was written to it. */
export interface Judgement {
  /** Acknowledged values that are neither there nor causally overwritten. */
  readonly lost: readonly string[];
  /** Values there that nobody wrote, or whose write was refused. */
  readonly corrupt: readonly string[];
  /** Values there that an acknowledged write had replaced. */
  readonly resurrected: readonly string[];
}

/** Every write that was sent, and what was covered by what: the truth a cluster is held to. */
export class Ledger {
  readonly #writes = new Map<string, Write[]>();
  #acknowledged = 0;

  get keys(): readonly string[] {
    return [...this.#writes.keys()];
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Before it is sent; until it is settled, it may have happened. */
  begin(key: string, value: string | undefined, covers: readonly Write[]): Write {
    const write: Write = { key, value, covers, fate: "unknown" };
    const writes = this.#writes.get(key);
    if (writes === undefined) this.#writes.set(key, [write]);
    else writes.push(write);
    return write;
  }

  settle(write: Write, fate: WriteFate): void {
    write.fate = fate;
    if (fate === "acknowledged") this.#acknowledged += 1;
  }

  /** The writes of these values; values that nobody wrote are left out. */
  find(key: string, values: readonly string[]): readonly Write[] {
    const present = new Set(values);
    return (this.#writes.get(key) ?? []).filter(
      ({ value }) => value !== undefined && present.has(value),
    );
  }

  judge(key: string, values: readonly string[]): Judgement {
    const writes = this.#writes.get(key) ?? [];
    const present = new Set(values);
    const coveredBy = new Map<Write, Write[]>();
    for (const write of writes) {
      for (const covered of write.covers) {
        coveredBy.set(covered, [...(coveredBy.get(covered) ?? []), write]);
      }
    }
    // Writes of a key are in the order of their sending, so that a later one may cover an earlier
    // one only: from the end, each is judged after all that could have replaced it.
    const survives = new Set<Write>();
    for (const write of writes.toReversed()) {
      const isThere = write.value === undefined || present.has(write.value);
      const isReplaced = (coveredBy.get(write) ?? []).some((later) => survives.has(later));
      if (write.fate !== "refused" && (isThere || isReplaced)) survives.add(write);
    }
    const valuesOf = (chosen: readonly Write[]): readonly string[] =>
      chosen.map(({ value }) => value ?? "a delete");
    const known = new Map(writes.map((write) => [write.value, write]));
    return {
      lost: valuesOf(
        writes.filter((write) => write.fate === "acknowledged" && !survives.has(write)),
      ),
      corrupt: values.filter((value) => (known.get(value)?.fate ?? "refused") === "refused"),
      resurrected: valuesOf(
        writes.filter(
          (write) =>
            write.value !== undefined &&
            present.has(write.value) &&
            (coveredBy.get(write) ?? []).some(({ fate }) => fate === "acknowledged"),
        ),
      ),
    };
  }
}
