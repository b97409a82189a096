/** What ends when a signal is aborted. */
export interface Abortable {
  abort(reason: unknown): void;
}

/**
 * One listener per signal, however many operations it may abort: Node warns of a leak when a signal
 * has more than ten, and adding to many is slow.
 */
export class SignalListeners {
  readonly #members = new Map<AbortSignal, Set<Abortable>>();
  readonly #listener = (event: Event): void => {
    const signal = event.currentTarget as AbortSignal;
    const members = this.#members.get(signal);
    this.#members.delete(signal);
    for (const member of members ?? []) member.abort(signal.reason);
  };

  add(signal: AbortSignal, member: Abortable): void {
    const members = this.#members.get(signal);
    if (members !== undefined) {
      members.add(member);
      return;
    }
    this.#members.set(signal, new Set([member]));
    signal.addEventListener("abort", this.#listener, { once: true });
  }

  remove(signal: AbortSignal, member: Abortable): void {
    const members = this.#members.get(signal);
    if (members?.delete(member) !== true || members.size > 0) return;
    this.#members.delete(signal);
    signal.removeEventListener("abort", this.#listener);
  }
}
