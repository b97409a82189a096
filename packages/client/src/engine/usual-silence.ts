const forgotten = 0.05;

/**
 * For how long a node that serves says nothing though it was asked: about the longest of lately.
 * It rises at once and falls slowly, so that one short answer does not make the next long one odd.
 */
export class UsualSilence {
  #usualMs: number | undefined;

  /** `undefined` before anything was heard. */
  get usualMs(): number | undefined {
    return this.#usualMs;
  }

  observe(silentMs: number): void {
    const usualMs = this.#usualMs ?? 0;
    this.#usualMs = silentMs > usualMs ? silentMs : usualMs + (silentMs - usualMs) * forgotten;
  }
}
