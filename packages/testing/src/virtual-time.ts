import type { Cancel, Clock } from "@coterie/client/testing";
import { SimClock, type World } from "@coterie/sim";

/**
 * Lets virtual time pass while somebody waits for something: a client's operation, a start, an
 * `advance`. In between it stands still, whatever the test does.
 */
export class VirtualTime {
  readonly world: World;
  #holds = 0;
  #isPassing = false;
  #stop: () => void = () => {};

  constructor(world: World) {
    this.world = world;
  }

  /** Somebody waits, until {@link release}. */
  hold(): void {
    this.#holds += 1;
    if (!this.#isPassing) void this.#pass();
  }

  release(): void {
    this.#holds -= 1;
    if (this.#holds === 0) this.#stop();
  }

  /** Lets `ms` pass. */
  advance(ms: number): Promise<void> {
    this.hold();
    return new Promise((resolve) => {
      this.world.schedule(ms, () => {
        this.release();
        resolve();
      });
    });
  }

  /** Lets time pass until `story` settles. */
  async waitFor<Value>(story: Promise<Value>): Promise<Value> {
    this.hold();
    try {
      return await story;
    } finally {
      this.release();
    }
  }

  async #pass(): Promise<void> {
    this.#isPassing = true;
    while (this.#holds > 0) {
      const { promise, stop } = stopper();
      this.#stop = stop;
      await this.world.runUntilSettled(promise);
    }
    this.#isPassing = false;
  }
}

function stopper(): { readonly promise: Promise<void>; readonly stop: () => void } {
  let stop = (): void => {};
  const promise = new Promise<void>((resolve) => {
    stop = resolve;
  });
  return { promise, stop };
}

/** A client's clock: virtual time, which passes while the client waits for an answer. */
export class ClientClock implements Clock {
  readonly #time: VirtualTime;
  readonly #clock: SimClock;

  constructor(time: VirtualTime) {
    this.#time = time;
    this.#clock = new SimClock(time.world);
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  at(deadlineMs: number, fire: () => void): Cancel {
    return this.#clock.at(deadlineMs, fire);
  }

  afterTurn(fire: () => void): void {
    this.#clock.afterTurn(fire);
  }

  hold(): void {
    this.#time.hold();
  }

  release(): void {
    this.#time.release();
  }

  close(): void {
    this.#clock.crash();
  }
}
