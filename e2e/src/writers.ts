import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { HttpClient } from "./http-client.ts";
import { type Ledger, valueOf } from "./ledger.ts";

/** A write or read sent to a living node that did not succeed. */
export interface WriterFailure {
  readonly door: string;
  readonly what: string;
  readonly status: number;
  readonly body: string;
}

/**
 * Writers that never stop: each owns its keys, overwrites them with their contexts, reads now and
 * then, and enters every acknowledgement in the ledger. Doors may be taken out while their node is
 * dead; a failure at any other door is kept for the test to look at.
 */
export class Writers {
  readonly failures: WriterFailure[] = [];
  readonly #client = new HttpClient();
  readonly #ledger: Ledger;
  readonly #doors: readonly string[];
  readonly #down = new Set<string>();
  readonly #acknowledgedAt: number[] = [];
  #isStopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(ledger: Ledger, doors: readonly string[]) {
    this.#ledger = ledger;
    this.#doors = doors;
  }

  start(count: number): void {
    const runs = Array.from({ length: count }, (_, index) => this.#run(index));
    this.#running = Promise.all(runs);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
    this.#client.close();
  }

  /** From now on nothing is sent to `door`, and what is in flight there may fail. */
  takeOut(door: string): void {
    this.#down.add(door);
  }

  putBack(door: string): void {
    this.#down.delete(door);
  }

  /** Waits until at least `count` writes were acknowledged within the last second. */
  async untilBusy(count: number): Promise<number> {
    for (;;) {
      const since = performance.now() - 1000;
      while ((this.#acknowledgedAt[0] ?? since) < since) this.#acknowledgedAt.shift();
      if (this.#acknowledgedAt.length >= count) return this.#acknowledgedAt.length;
      await sleep(20);
    }
  }

  async #run(index: number): Promise<void> {
    for (let number = 0; !this.#isStopped; number += 1) {
      const key = `writer-${index}-key-${number % 50}`;
      const door = this.#pick(index + number);
      if (door === undefined) await sleep(20);
      else if (number % 5 === 4) await this.#read(door, key);
      else await this.#write(door, key, number);
    }
  }

  #pick(turn: number): string | undefined {
    const up = this.#doors.filter((door) => !this.#down.has(door));
    return up[turn % up.length];
  }

  async #read(door: string, key: string): Promise<void> {
    const answer = await this.#client.send(door, "GET", pathOf(key));
    const isFine = answer.status === 200 || answer.status === 300 || answer.status === 404;
    if (!isFine) this.#fail(door, `get ${key}`, answer.status, answer.body);
  }

  /** Overwrites what the key holds: the write before it, and whatever an unknown one left. */
  async #write(door: string, key: string, number: number): Promise<void> {
    const headers: Record<string, string> = {};
    const before = await this.#client.send(door, "GET", pathOf(key));
    const context = before.headers["coterie-context"];
    if (typeof context === "string") headers["Coterie-Context"] = context;
    if (before.status === 0 || before.status >= 500) {
      return this.#fail(door, `get ${key} before a put`, before.status, before.body);
    }
    this.#ledger.sent(key, number);
    const body = valueOf(key, number);
    const answer = await this.#client.send(door, "PUT", pathOf(key), { headers, body });
    if (answer.status !== 204) {
      return this.#fail(door, `put ${key}`, answer.status, answer.body);
    }
    this.#ledger.acknowledge(key, number);
    this.#acknowledgedAt.push(performance.now());
  }

  #fail(door: string, what: string, status: number, body: Buffer): void {
    if (this.#down.has(door)) return;
    this.failures.push({ door, what, status, body: body.toString().slice(0, 300) });
  }
}

/** The path of a key in the default bucket. */
export function pathOf(key: string): string {
  return `/v1/buckets/default/keys/${encodeURIComponent(key)}`;
}
