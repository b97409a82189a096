import type { NodeId } from "../ids.ts";

export interface SuspicionTimes {
  /** How long it lasts once enough others share it. */
  readonly msMin: number;
  /** How long it lasts while nobody does. */
  readonly msMax: number;
  /** How many others are enough; 0 where there are none to ask. */
  readonly expected: number;
}

/** How much of the least time is left when the suspect is asked. */
const questionShares = [0.5, 0.2];

/**
 * Lifeguard's local health aware suspicion (section IV.B): the time left to a suspect shrinks with
 * the logarithm of how many others suspect it of their own knowledge. A node that suspects alone is
 * likely the slow one itself.
 */
export class Suspicion {
  readonly #times: SuspicionTimes;
  readonly #accusers = new Set<NodeId>();
  #startedAt: number;
  #asked = 0;

  constructor(times: SuspicionTimes, accuser: NodeId, now: number) {
    this.#times = times;
    this.#accusers.add(accuser);
    this.#startedAt = now;
  }

  /** When the suspect counts as dead. */
  get deadline(): number {
    const { msMin, msMax, expected } = this.#times;
    const confirmations = this.#accusers.size - 1;
    if (confirmations >= expected) return this.#startedAt + msMin;
    const share = Math.log(confirmations + 1) / Math.log(expected + 1);
    return this.#startedAt + Math.max(msMin, msMax - (msMax - msMin) * share);
  }

  /** True if that was news: then it is worth passing on. */
  confirm(accuser: NodeId): boolean {
    if (this.#accusers.size > this.#times.expected || this.#accusers.has(accuser)) return false;
    this.#accusers.add(accuser);
    return true;
  }

  /**
   * True when the suspect is to be asked itself, twice before its time is up: its refutation may
   * have been lost on the way to this one node, which would then declare it dead alone.
   */
  takeQuestion(now: number): boolean {
    const share = questionShares[this.#asked];
    if (share === undefined || this.deadline - now > this.#times.msMin * share) return false;
    this.#asked += 1;
    return true;
  }

  /** While this process stood still it could not have heard a refutation. */
  delay(ms: number): void {
    this.#startedAt += ms;
  }
}
