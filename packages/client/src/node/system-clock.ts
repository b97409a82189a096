import type { Cancel, Clock } from "../engine/clock.ts";

/** Longer than anybody waits; it keeps the process alive, and does nothing. */
const holdMs = 2 ** 30;

/** A timer so late is no news of a node: this process stood still, and has answers to read. */
const stallMs = 20;

/**
 * This process's time. After a stall the event loop runs timers before it reads sockets: answers
 * that came in time would be given up. So timers that are late fire once what is there was read.
 */
export class SystemClock implements Clock {
  readonly #timers = new Set<NodeJS.Timeout>();
  /** An operation begins and ends more often than a timer is worth: this one is kept. */
  readonly #holder: NodeJS.Timeout = setInterval(() => {}, holdMs).unref();
  #holds = 0;
  #afterTurn: (() => void)[] = [];
  #isClosed = false;

  monotonicMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  at(deadlineMs: number, fire: () => void): Cancel {
    if (this.#isClosed) return () => {};
    // Rounded up: a timer may not fire early.
    const delayMs = Math.max(1, Math.ceil(deadlineMs - performance.now()));
    let isCancelled = false;
    const fireLate = (): void => {
      if (!isCancelled && !this.#isClosed) fire();
    };
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (performance.now() < deadlineMs + stallMs) fire();
      else setImmediate(fireLate);
    }, delayMs).unref();
    this.#timers.add(timer);
    return () => {
      isCancelled = true;
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }

  afterTurn(fire: () => void): void {
    if (this.#afterTurn.push(fire) > 1) return;
    setImmediate(() => {
      const ready = this.#afterTurn;
      this.#afterTurn = [];
      for (const each of ready) each();
    });
  }

  hold(): void {
    this.#holds += 1;
    if (this.#holds === 1) this.#holder.ref();
  }

  release(): void {
    this.#holds -= 1;
    if (this.#holds === 0) this.#holder.unref();
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    clearInterval(this.#holder);
  }
}
