import { limits } from "@coterie/core";

/** What decides when the value of a put ends. */
export interface Mortal {
  /** Left out: it stays. */
  readonly ttlMs?: number | undefined;
  readonly invokedMs: number;
  readonly settledMs: number;
  /** It was sent more than once, or nobody knows whether it still comes. */
  readonly mayComeLate?: boolean;
}

/** How wrong clocks can be in a run. */
export interface ClockErrors {
  /** How far wall clocks are set wrong. */
  readonly jumpMsMax: number;
  /** Microseconds that a clock gains, or loses, in a second. */
  readonly driftPerMillionMax: number;
  /** How long nodes keep what has expired. */
  readonly keepExpiredMs?: number | undefined;
}

/**
 * A write is coordinated so long after its client has stopped waiting for it, at most: by a node
 * that stood still meanwhile.
 */
const lateMs = 10_000;
/**
 * Likewise, if it was sent once and acknowledged: by a primary that stood still, for up to 3 s, as
 * it was passed on to it, and reads it then.
 */
const forwardedMs = 4000;
/** A client without an answer stops waiting so long after it began, with all its attempts. */
const patienceMs = 24_000;
/** A node has swept what is due so long after it was, at most. */
const sweepMs = 15_000;

/**
 * When values end, in the world's time. The clock of the node that coordinates a put makes its
 * deadline, that of another node goes by it, and both are wrong within bounds: so a value may be
 * gone from one moment on, and must be from a later one on.
 */
export class Lifetimes {
  readonly #jumpMs: number;
  readonly #drift: number;
  readonly #keepMs: number;

  constructor({ jumpMsMax, driftPerMillionMax, keepExpiredMs }: ClockErrors) {
    this.#jumpMs = jumpMsMax;
    this.#drift = driftPerMillionMax / 1e6;
    this.#keepMs = keepExpiredMs ?? limits.clockSkewMsMax;
  }

  /** No clock says earlier than this that what the write has put has expired. */
  firstMs({ ttlMs, invokedMs }: Mortal): number {
    if (ttlMs === undefined) return Infinity;
    const deadline = invokedMs - this.#errorMs(invokedMs) + ttlMs;
    return (deadline - this.#errorMs(0)) / (1 + this.#drift);
  }

  /** All clocks say from now on that it has. */
  lastMs({ ttlMs, invokedMs, settledMs, mayComeLate = false }: Mortal): number {
    if (ttlMs === undefined) return Infinity;
    const waitedMs = Math.min(settledMs, invokedMs + patienceMs);
    const written = waitedMs + (mayComeLate ? lateMs : forwardedMs);
    const deadline = written + this.#errorMs(written) + ttlMs;
    return (deadline + this.#errorMs(0)) / (1 - this.#drift);
  }

  /** No replica holds its value any more. */
  sweptMs(write: Mortal): number {
    return this.lastMs(write) + (this.#keepMs + sweepMs) * (1 + this.#drift);
  }

  /** By how much a wall clock may be wrong; it shows whole milliseconds. */
  #errorMs(nowMs: number): number {
    return this.#jumpMs + nowMs * this.#drift + 1;
  }
}
