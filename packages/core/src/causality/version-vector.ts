import type { ActorId } from "../ids.ts";

/** One event: the `counter`-th that `actor` minted. Counters start at 1. */
export interface Dot {
  readonly actor: ActorId;
  readonly counter: number;
}

/** How two version vectors relate. Identical vectors are `equal`, neither concurrent nor before. */
export type CausalOrder = "equal" | "before" | "after" | "concurrent";

/**
 * A map from actor to the highest counter seen of it: an entry (actor, n) claims "seen all of this
 * actor's dots up to n". Immutable; entries are kept sorted by actor, so that equal vectors are
 * encoded equally. (Preguiça et al., "Dotted Version Vectors", 2010, section 4.)
 */
export class VersionVector {
  static readonly empty: VersionVector = new VersionVector([], []);

  readonly #actors: readonly ActorId[];
  readonly #counters: readonly number[];

  private constructor(actors: readonly ActorId[], counters: readonly number[]) {
    this.#actors = actors;
    this.#counters = counters;
  }

  /** Builds a vector from dots in any order; of several dots of one actor the highest counts. */
  static of(dots: Iterable<Dot>): VersionVector {
    const highest = new Map<ActorId, number>();
    for (const { actor, counter } of dots) {
      if (counter > (highest.get(actor) ?? 0)) highest.set(actor, counter);
    }
    const actors = [...highest.keys()].toSorted();
    return new VersionVector(
      actors,
      actors.map((actor) => highest.get(actor) as number),
    );
  }

  /**
   * Builds a vector from entries as a codec reads them: actors strictly ascending, counters of at
   * least 1, both of one length; the codec has checked that.
   */
  static ofSorted(actors: readonly ActorId[], counters: readonly number[]): VersionVector {
    return actors.length === 0 ? VersionVector.empty : new VersionVector(actors, counters);
  }

  /** Number of actors. */
  get size(): number {
    return this.#actors.length;
  }

  /** The highest counter seen of `actor`, 0 if none. */
  get(actor: ActorId): number {
    const index = this.#actors.indexOf(actor);
    return index < 0 ? 0 : (this.#counters[index] as number);
  }

  /** The actor of the entry at `index`, in the order of actors. */
  actorAt(index: number): ActorId {
    return this.#actors[index] as ActorId;
  }

  /** The counter of the entry at `index`, in the order of actors. */
  counterAt(index: number): number {
    return this.#counters[index] as number;
  }

  /** Entries in the order of their actors. */
  *entries(): Generator<Dot> {
    for (let index = 0; index < this.#actors.length; index += 1) {
      yield {
        actor: this.#actors[index] as ActorId,
        counter: this.#counters[index] as number,
      };
    }
  }

  /** True if this vector has seen `dot`. */
  covers(dot: Dot): boolean {
    return this.get(dot.actor) >= dot.counter;
  }

  /** True if this vector has seen everything that `other` has: equal vectors descend each other. */
  descends(other: VersionVector): boolean {
    if (this === other) return true;
    if (other.#actors.length > this.#actors.length) return false;
    // Both are sorted: one walk over both, comparing each pair of actors at most once.
    let mine = 0;
    for (let theirs = 0; theirs < other.#actors.length; theirs += 1) {
      const actor = other.#actors[theirs] as ActorId;
      while (mine < this.#actors.length && (this.#actors[mine] as ActorId) < actor) mine += 1;
      if (this.#actors[mine] !== actor) return false;
      if ((this.#counters[mine] as number) < (other.#counters[theirs] as number)) return false;
      mine += 1;
    }
    return true;
  }

  /** How this vector relates to `other`: `before` means that `other` has seen more. */
  compare(other: VersionVector): CausalOrder {
    const descends = this.descends(other);
    const descended = other.descends(this);
    if (descends) return descended ? "equal" : "after";
    return descended ? "before" : "concurrent";
  }

  /** True if each has seen something that the other has not. */
  conflicts(other: VersionVector): boolean {
    return this.compare(other) === "concurrent";
  }

  /** Pointwise maximum; returns this very vector when `other` adds nothing. */
  merge(other: VersionVector): VersionVector {
    if (this === other || this.descends(other)) return this;
    if (other.descends(this)) return other;
    const actors: ActorId[] = [];
    const counters: number[] = [];
    let left = 0;
    let right = 0;
    while (left < this.#actors.length || right < other.#actors.length) {
      const mine = this.#actors[left];
      const theirs = other.#actors[right];
      const takeMine = theirs === undefined || (mine !== undefined && mine <= theirs);
      const takeTheirs = mine === undefined || (theirs !== undefined && theirs <= mine);
      actors.push((takeMine ? mine : theirs) as ActorId);
      counters.push(
        Math.max(
          takeMine ? (this.#counters[left] as number) : 0,
          takeTheirs ? (other.#counters[right] as number) : 0,
        ),
      );
      if (takeMine) left += 1;
      if (takeTheirs) right += 1;
    }
    return new VersionVector(actors, counters);
  }

  /** This vector having also seen `dot` (and all earlier ones of its actor). */
  with(dot: Dot): VersionVector {
    if (this.covers(dot)) return this;
    const index = this.#actors.indexOf(dot.actor);
    if (index >= 0) {
      return new VersionVector(this.#actors, this.#counters.with(index, dot.counter));
    }
    const at = this.#actors.findIndex((actor) => actor > dot.actor);
    const place = at < 0 ? this.#actors.length : at;
    return new VersionVector(
      this.#actors.toSpliced(place, 0, dot.actor),
      this.#counters.toSpliced(place, 0, dot.counter),
    );
  }

  /** This vector with `actor`'s counter one higher. */
  increment(actor: ActorId): VersionVector {
    return this.with({ actor, counter: this.get(actor) + 1 });
  }

  /** A vector with the same entries that shares no state with this one. */
  copy(): VersionVector {
    return new VersionVector([...this.#actors], [...this.#counters]);
  }

  /** `{actor:counter, …}` in the order of actors. */
  toString(): string {
    return `{${[...this.entries()].map((dot) => `${dot.actor}:${dot.counter}`).join(", ")}}`;
  }
}
