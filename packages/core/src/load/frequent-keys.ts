import { invariant } from "../invariant.ts";
import type { Key } from "../key.ts";
import type { Token } from "../ring/token.ts";

export interface FrequentKeysSettings {
  /** How many keys are counted; no count is too high by more than all divided by this. */
  readonly keysMax: number;
  /** After so many milliseconds a request counts half. */
  readonly halfLifeMs: number;
}

/** A key that is counted now. */
export interface CountedKey extends Key {
  /** Never less than what was counted of it. */
  readonly count: number;
  /** By so much the count may be too high. */
  readonly error: number;
}

export interface KeyCounts {
  /** Of all keys together. */
  readonly total: number;
  /** No key that is left out has a higher count. */
  readonly floor: number;
  /** The highest count first. */
  readonly keys: readonly CountedKey[];
}

/** Weights are brought back to the scale of 1 once the newest is 2 to this. */
const doublingsMax = 64;

/**
 * The keys asked for most, in the memory of a few: SpaceSaving (Metwally, Agrawal and El Abbadi,
 * ICDT 2005), whose counts fade exponentially. Old counts are not touched; what is new weighs more
 * (forward decay: Cormode et al., ICDE 2009), so that one scale is in force for all.
 *
 * A key that is not counted takes the place of the one counted least, and its count: that is how
 * much of it may have been missed, and the bound of its error.
 */
export class FrequentKeys {
  readonly #keysMax: number;
  readonly #halfLifeMs: number;
  /** Where a key is counted, by 53 bits of its token: keys that share them are counted as one. */
  readonly #places = new Map<number, number>();
  readonly #keys: Key[] = [];
  readonly #ids: Float64Array;
  readonly #counts: Float64Array;
  readonly #errors: Float64Array;
  #total = 0;
  #landmarkMs = 0;

  constructor({ keysMax, halfLifeMs }: FrequentKeysSettings) {
    invariant(keysMax > 0, "at least one key is counted");
    invariant(halfLifeMs > 0, "counts fade in a time above zero");
    this.#keysMax = keysMax;
    this.#halfLifeMs = halfLifeMs;
    this.#ids = new Float64Array(keysMax);
    this.#counts = new Float64Array(keysMax);
    this.#errors = new Float64Array(keysMax);
  }

  /** How many keys are counted; never above `keysMax`. */
  get size(): number {
    return this.#keys.length;
  }

  /** Of one request in a row that never pauses and never speeds up, its rate by its count. */
  perSecond(count: number): number {
    return (count * 1000 * Math.LN2) / this.#halfLifeMs;
  }

  /** Counts `weight` requests of a key now. */
  add(token: Token, key: Key, weight: number, nowMs: number): void {
    const scaled = weight * this.#scale(nowMs);
    this.#total += scaled;
    const id = tokenId(token);
    const known = this.#places.get(id);
    const place = known ?? this.#placeFor(id, key);
    this.#counts[place] = (this.#counts[place] as number) + scaled;
  }

  /** What was surely counted of a key; 0 of one that is not counted now. */
  sure(token: Token, nowMs: number): number {
    const place = this.#places.get(tokenId(token));
    if (place === undefined) return 0;
    return (this.#count(place) - (this.#errors[place] as number)) / this.#scale(nowMs);
  }

  /** The `limit` keys counted most. */
  read(limit: number, nowMs: number): KeyCounts {
    const scale = this.#scale(nowMs);
    const order = this.#keys
      .map((_, place) => place)
      .toSorted((left, right) => this.#count(right) - this.#count(left));
    const isFull = order.length === this.#keysMax;
    const last = order[limit] ?? (isFull ? order.at(-1) : undefined);
    return {
      total: this.#total / scale,
      floor: last === undefined ? 0 : this.#count(last) / scale,
      keys: order.slice(0, limit).map((place) => ({
        ...(this.#keys[place] as Key),
        count: this.#count(place) / scale,
        error: (this.#errors[place] as number) / scale,
      })),
    };
  }

  #count(place: number): number {
    return this.#counts[place] as number;
  }

  /** The place of a key that is not counted yet. */
  #placeFor(id: number, { bucket, key }: Key): number {
    // A key's bytes are often a view of a message that came with much else.
    const own = { bucket, key: key.slice() };
    const isFull = this.#keys.length === this.#keysMax;
    const place = isFull ? this.#least() : this.#keys.length;
    if (isFull) this.#places.delete(this.#ids[place] as number);
    this.#errors[place] = this.#count(place);
    this.#keys[place] = own;
    this.#ids[place] = id;
    this.#places.set(id, place);
    return place;
  }

  /** A scan of 2 KB: quicker than keeping an order that every count changes. */
  #least(): number {
    let least = 0;
    for (let place = 1; place < this.#keysMax; place += 1) {
      if (this.#count(place) < this.#count(least)) least = place;
    }
    return least;
  }

  /** What a request of now weighs. */
  #scale(nowMs: number): number {
    const doublings = (nowMs - this.#landmarkMs) / this.#halfLifeMs;
    if (doublings <= doublingsMax) return 2 ** doublings;
    const fading = 2 ** -doublings;
    this.#total *= fading;
    for (let place = 0; place < this.#keys.length; place += 1) {
      this.#counts[place] = this.#count(place) * fading;
      this.#errors[place] = (this.#errors[place] as number) * fading;
    }
    this.#landmarkMs = nowMs;
    return 1;
  }
}

/** The first 53 bits of a token, as one number. */
export function tokenId({ high, low }: Token): number {
  return high * 0x20_0000 + (low >>> 11);
}
