import { oneShot } from "./one-shot.ts";

/** Whether anything is in flight, and somebody who waits until nothing is. */
export class Idleness {
  readonly #isIdle: () => boolean;
  #onIdle: (() => void) | undefined;

  constructor(isIdle: () => boolean) {
    this.#isIdle = isIdle;
  }

  /** Something has ended. */
  look(): void {
    if (this.#isIdle()) this.#onIdle?.();
  }

  async reached(): Promise<void> {
    if (this.#isIdle()) return;
    const { promise, settle } = oneShot<void>();
    this.#onIdle = settle;
    await promise;
  }
}
