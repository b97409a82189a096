interface Write {
  readonly serial: number;
  /** What its context covered: it takes their place, and the place of what they replaced. */
  readonly covers: readonly number[];
  /** Otherwise it failed, or goes on: it may have happened. */
  isAcknowledged: boolean;
}

/** What a key holds, as far as its writers know. */
interface Kept {
  /** In the order of their beginning; without those that an acknowledged one has replaced. */
  writes: Write[];
  next: number;
}

/**
 * What a store must still have at the end: of each key, the acknowledged writes that no later one
 * has replaced. What is replaced for sure is forgotten at once, so that it stays as small as there
 * are keys, however long it goes on.
 */
export class Obligations {
  readonly #byKey = new Map<string, Kept>();
  #acknowledged = 0;

  get keys(): readonly string[] {
    return [...this.#byKey.keys()];
  }

  /** Writes acknowledged so far, replaced ones too. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** A write begins, with a context that covers these; its number among those of the key. */
  begin(key: string, covers: readonly number[]): number {
    const kept = this.#byKey.get(key) ?? { writes: [], next: 1 };
    this.#byKey.set(key, kept);
    const serial = kept.next;
    kept.next += 1;
    kept.writes.push({ serial, covers, isAcknowledged: false });
    return serial;
  }

  acknowledge(key: string, serial: number): void {
    const kept = this.#byKey.get(key);
    const write = kept?.writes.find((one) => one.serial === serial);
    if (kept === undefined || write === undefined) return;
    write.isAcknowledged = true;
    this.#acknowledged += 1;
    const replaced = new Set<number>();
    const replace = (covers: readonly number[]): void => {
      for (const covered of covers) {
        replaced.add(covered);
        replace(kept.writes.find((one) => one.serial === covered)?.covers ?? []);
      }
    };
    replace(write.covers);
    kept.writes = kept.writes.filter((one) => !replaced.has(one.serial));
  }

  /** Acknowledged writes that are not among those found, nor replaced by one that is. */
  missing(key: string, found: readonly number[]): readonly number[] {
    const present = new Set(found);
    const writes = this.#byKey.get(key)?.writes ?? [];
    const replaced = new Set<number>();
    const missing: number[] = [];
    // A write can only replace one that began before: from the end, all that could is known.
    for (const { serial, covers, isAcknowledged } of writes.toReversed()) {
      if (present.has(serial) || replaced.has(serial)) for (const one of covers) replaced.add(one);
      else if (isAcknowledged) missing.push(serial);
    }
    return missing;
  }
}
