declare const unit: unique symbol;

/** Milliseconds of a monotonic clock, with fractions; comparable within one process only. */
export type MonotonicMs = number & { readonly [unit]?: "monotonic" };

/** Milliseconds since 1970-01-01T00:00Z. May jump: for people, timestamps and TTLs only. */
export type WallMs = number & { readonly [unit]?: "wall" };

/** Takes back what was scheduled; harmless when it has already fired. */
export type Cancel = () => void;

/** Time. The only source of wake-ups besides the other ports. */
export interface Clock {
  /** Never goes backwards. */
  monotonicMs(): MonotonicMs;
  wallMs(): WallMs;
  /** Fires once, at or after `deadline`, never within the call itself. */
  at(deadline: MonotonicMs, fire: () => void): Cancel;
  /**
   * Fires once when everything that is ready to run now has run: what a turn of the event loop
   * gathered is then complete. Never within the call itself; in the order of the calls.
   */
  afterTurn(fire: () => void): void;
}
