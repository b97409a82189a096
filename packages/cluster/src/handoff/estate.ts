import { oneShot } from "../one-shot.ts";
import type { BulkPayer, PaymentOutcome } from "./debt.ts";

/** Records under way at once. */
const recordsMax = 64;

/**
 * Pays what was owed to a target that is no member any more: nothing is sent to it, and what is
 * held for it goes to its heirs, all within this node.
 */
export class Estate implements BulkPayer {
  readonly #isStopped: () => boolean;
  #records = 0;
  #hasFailed = false;
  #waiting: (() => void)[] = [];

  constructor(isStopped: () => boolean) {
    this.#isStopped = isStopped;
  }

  async ready(): Promise<boolean> {
    while (this.#records >= recordsMax && !this.#isStopped()) await this.#somethingSettled();
    if (this.#isStopped()) return false;
    this.#records += 1;
    return true;
  }

  send(_key: unknown, _stored: unknown, settle: (isPaid: boolean) => void): void {
    this.#hasFailed = true;
    settle(false);
    this.skip();
  }

  skip(): void {
    this.#records -= 1;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  ask(): Promise<undefined> {
    this.#hasFailed = true;
    return Promise.resolve(undefined);
  }

  room(): Promise<undefined> {
    return this.ask();
  }

  mayGoOn(): Promise<boolean> {
    return Promise.resolve(false);
  }

  together(most: number): number {
    return most;
  }

  moment(): Promise<void> {
    return Promise.resolve();
  }

  fetch(): Promise<undefined> {
    return this.ask();
  }

  sendAll(records: readonly unknown[]): Promise<readonly boolean[]> {
    this.#hasFailed = true;
    return Promise.resolve(records.map(() => false));
  }

  leave(): void {
    this.#hasFailed = true;
  }

  async finish(): Promise<PaymentOutcome> {
    while (this.#records > 0) await this.#somethingSettled();
    return this.#isStopped() || this.#hasFailed ? "stopped" : "paid";
  }

  #somethingSettled(): Promise<void> {
    const { promise, settle } = oneShot<void>();
    this.#waiting.push(settle);
    return promise;
  }
}
