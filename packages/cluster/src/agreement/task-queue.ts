/** Runs tasks one after the other, in the order in which they came. */
export class TaskQueue {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Tasks that have not ended. */
  get length(): number {
    return this.#waiting;
  }

  run<Outcome>(task: () => Promise<Outcome>): Promise<Outcome> {
    this.#waiting += 1;
    const outcome = this.#last.then(task).then((value) => {
      this.#waiting -= 1;
      return value;
    });
    this.#last = outcome;
    return outcome;
  }

  /** Resolves when all that has come until now has ended. */
  async whenIdle(): Promise<void> {
    await this.#last;
  }
}
