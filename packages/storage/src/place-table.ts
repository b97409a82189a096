/** A power of two. */
const slotsFirst = 64;
const empty = -1;

/**
 * A map from places in the log to positions, both whole numbers below 2^53 and never negative: open
 * addressing with linear probing in typed arrays, at most half full. A `Map` with such keys keeps
 * each of them as an object of its own.
 */
export class PlaceTable {
  #places: Float64Array = new Float64Array(slotsFirst).fill(empty);
  #positions: Float64Array = new Float64Array(slotsFirst);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get(place: number): number | undefined {
    const slot = this.#slotOf(place);
    return this.#places[slot] === place ? this.#positions[slot] : undefined;
  }

  set(place: number, position: number): void {
    const slot = this.#slotOf(place);
    this.#positions[slot] = position;
    if (this.#places[slot] === place) return;
    this.#places[slot] = place;
    this.#count += 1;
    if (this.#count * 2 > this.#places.length) this.#grow();
  }

  delete(place: number): void {
    let hole = this.#slotOf(place);
    if (this.#places[hole] !== place) return;
    this.#count -= 1;
    const mask = this.#places.length - 1;
    // What comes after in its run moves up, unless it would leave its own run (Knuth, 6.4, R).
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const moved = this.#places[at] as number;
      if (moved === empty) break;
      const home = hashOf(moved) & mask;
      const isAfterHole = ((at - home) & mask) >= ((at - hole) & mask);
      if (!isAfterHole) continue;
      this.#places[hole] = moved;
      this.#positions[hole] = this.#positions[at] as number;
      hole = at;
    }
    this.#places[hole] = empty;
  }

  /** Where the place is, or would be. */
  #slotOf(place: number): number {
    const mask = this.#places.length - 1;
    let slot = hashOf(place) & mask;
    for (;;) {
      const found = this.#places[slot];
      if (found === place || found === empty) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const places = this.#places;
    const positions = this.#positions;
    this.#places = new Float64Array(places.length * 2).fill(empty);
    this.#positions = new Float64Array(places.length * 2);
    for (const [slot, place] of places.entries()) {
      if (place === empty) continue;
      const moved = this.#slotOf(place);
      this.#places[moved] = place;
      this.#positions[moved] = positions[slot] as number;
    }
  }
}

/** Segment and offset are its halves; entries lie close together, so their bits are spread. */
function hashOf(place: number): number {
  const mixed = Math.imul(
    (place >>> 0) ^ Math.imul(place / 0x1_0000_0000, 0x85eb_ca6b),
    0x9e37_79b1,
  );
  return mixed ^ (mixed >>> 15);
}
