import type { World } from "./world.ts";

/**
 * Whether one process runs. Everything that happens to a process passes through its gate: while it
 * is paused (SIGSTOP, a machine that hangs) it waits, and once it is gone it is dropped.
 */
export class ProcessGate {
  readonly #world: World;
  #waiting: (() => void)[] | undefined;
  #isGone = false;

  constructor(world: World) {
    this.#world = world;
  }

  get isPaused(): boolean {
    return this.#waiting !== undefined;
  }

  /** Runs `happening` now, or when the process goes on. */
  run(happening: () => void): void {
    if (this.#isGone) return;
    if (this.#waiting === undefined) happening();
    else this.#waiting.push(happening);
  }

  pause(): void {
    this.#waiting ??= [];
  }

  /** The process goes on, and finds all that has waited at once, in no certain order. */
  resume(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const happening of waiting) this.#world.schedule(0, () => this.run(happening));
  }

  /** The process is gone: nothing happens to it any more. */
  close(): void {
    this.#isGone = true;
    this.#waiting = undefined;
  }
}
