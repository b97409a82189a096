/**
 * Bounds what is under way at once, in tasks and in bytes, and keeps tasks of one key in the order
 * in which they were started. The first failure ends the flow.
 */
export class Flow {
  readonly #tasksMax: number;
  readonly #bytesMax: number;
  #tasks = 0;
  #bytes = 0;
  #wake: (() => void) | undefined;
  #failure: unknown;
  #hasFailed = false;
  /** The last task of each key that has one under way. */
  readonly #lastOfKey = new Map<string, Promise<void>>();

  constructor(tasksMax: number, bytesMax: number) {
    this.#tasksMax = tasksMax;
    this.#bytesMax = bytesMax;
  }

  /** Waits for room, then starts the task. Throws what an earlier task threw. */
  async start(key: string, bytes: number, task: () => Promise<void>): Promise<void> {
    while (
      !this.#hasFailed &&
      (this.#tasks >= this.#tasksMax || (this.#tasks > 0 && this.#bytes + bytes > this.#bytesMax))
    ) {
      await this.#change();
    }
    if (this.#hasFailed) throw this.#failure;
    this.#tasks += 1;
    this.#bytes += bytes;
    const before = this.#lastOfKey.get(key);
    const run = async (): Promise<void> => {
      await before;
      if (this.#hasFailed) return;
      await task();
    };
    const finished = run()
      .catch((error: unknown) => {
        if (!this.#hasFailed) this.#failure = error;
        this.#hasFailed = true;
      })
      .finally(() => {
        this.#tasks -= 1;
        this.#bytes -= bytes;
        if (this.#lastOfKey.get(key) === finished) this.#lastOfKey.delete(key);
        this.#wake?.();
      });
    this.#lastOfKey.set(key, finished);
  }

  /** Waits until `condition` holds, looking whenever a task ends, or until one fails. */
  async until(condition: () => boolean): Promise<void> {
    while (!this.#hasFailed && !condition()) await this.#change();
    if (this.#hasFailed) throw this.#failure;
  }

  /** Waits for every task, failed or not. */
  async settled(): Promise<void> {
    while (this.#tasks > 0) await this.#change();
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}
