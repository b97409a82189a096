/** After so many that are drawn the gap between them is reckoned anew. */
const drawnPerStep = 32;
/** Gaps widen beyond so many drawn per millisecond, and narrow below a quarter of it. */
const perMsMax = 1;
/** Of the gap, the mean at most. */
const gapMax = 256;

/**
 * Draws some of a row of events, evenly whatever their order: all while they are rare, and about a
 * thousand a second of many. Gaps are random, as a row may be periodic: of keys asked for in turn
 * every n-th would always be the same one.
 */
export class Thinning {
  #gap = 1;
  #left = 1;
  #state: number;
  #drawn = 0;
  #sinceMs = 0;

  /** @param seed Any number; the same one, the same gaps. */
  constructor(seed: number) {
    this.#state = (seed | 0) === 0 ? 1 : seed | 0;
  }

  /** True for an event that is drawn: then {@link draw} is to be called. */
  passes(): boolean {
    this.#left -= 1;
    return this.#left <= 0;
  }

  /** For how many events the one that was drawn stands. */
  draw(nowMs: number): number {
    const weight = this.#gap;
    this.#drawn += 1;
    if (this.#drawn === drawnPerStep) this.#adapt(nowMs);
    this.#left = 1 + (this.#random() % (2 * this.#gap - 1));
    return weight;
  }

  #adapt(nowMs: number): void {
    const perMs = drawnPerStep / Math.max(nowMs - this.#sinceMs, 1);
    if (perMs > perMsMax) this.#gap = Math.min(this.#gap * 2, gapMax);
    else if (perMs < perMsMax / 4) this.#gap = Math.max(1, this.#gap / 2);
    this.#drawn = 0;
    this.#sinceMs = nowMs;
  }

  /** Marsaglia, *Xorshift RNGs*, 2003: 32 bits, none of which is to be secret. */
  #random(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }
}
