const halfLifeMs = 60_000;
/** Returns within a minute or so that are forgiven. */
const forgiven = 3;
const holdMsMax = 30_000;

/**
 * Counts how often a member came back lately, as route flap damping does (RFC 2439): each return
 * adds one, and half is forgotten every minute. Who comes back too often is held as a suspect for a
 * while, twice as long each time: its news are believed, and it is not relied upon.
 */
export class FlapDamping {
  #penalty = 0;
  #at = 0;

  /** Notes a return; how long the member is to be held as a suspect now. */
  noteReturn(now: number): number {
    this.#penalty = this.#penalty * 0.5 ** ((now - this.#at) / halfLifeMs) + 1;
    this.#at = now;
    const excess = this.#penalty - forgiven;
    return excess <= 0 ? 0 : Math.min(holdMsMax, 1000 * 2 ** (Math.ceil(excess) - 1));
  }
}
