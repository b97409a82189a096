import type { Cancel, Clock } from "../src/testing/index.ts";

interface Alarm {
  readonly atMs: number;
  readonly fire: () => void;
}

/** Time that passes only when a test says so. */
export class SimulatedClock implements Clock {
  /** How many hold the process now. */
  holds = 0;
  isClosed = false;
  #nowMs = 1000;
  #alarms: Alarm[] = [];
  #afterTurn: (() => void)[] = [];

  get alarms(): number {
    return this.#alarms.length;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_800_000_000_000 + Math.floor(this.#nowMs);
  }

  at(deadlineMs: number, fire: () => void): Cancel {
    const alarm = { atMs: Math.max(deadlineMs, this.#nowMs), fire };
    this.#alarms.push(alarm);
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
    };
  }

  afterTurn(fire: () => void): void {
    this.#afterTurn.push(fire);
  }

  hold(): void {
    this.holds += 1;
  }

  release(): void {
    this.holds -= 1;
  }

  close(): void {
    this.isClosed = true;
  }

  /** The process stands still: what was due fires late, before anything that came meanwhile. */
  stall(ms: number): void {
    this.#nowMs += ms;
    const due = this.#alarms.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#alarms = this.#alarms.filter((alarm) => !due.includes(alarm));
    for (const { fire } of due.toSorted((left, right) => left.atMs - right.atMs)) fire();
  }

  /** Lets everything happen that happens within `ms`. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      await this.settle();
      const next = this.#alarms.toSorted((left, right) => left.atMs - right.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#alarms = this.#alarms.filter((other) => other !== next);
      this.#nowMs = next.atMs;
      next.fire();
    }
    this.#nowMs = endMs;
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    do {
      // Promises first: what they go on to is part of the turn.
      await new Promise((resolve) => setImmediate(resolve));
      for (const fire of this.#afterTurn.splice(0)) fire();
    } while (this.#afterTurn.length > 0);
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#afterTurn.length > 0) await this.settle();
  }
}
