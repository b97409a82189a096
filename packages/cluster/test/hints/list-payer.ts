import {
  type CausalRecord,
  type Key,
  type NodeId,
  emptyRecord,
  latin1,
  mergeRecords,
} from "@coterie/core";
import type { StoredRecord } from "@coterie/storage";
import type { Payer, PaymentOutcome } from "../../src/handoff/debt.ts";
import type { HintPlaces } from "../../src/hints/hint-debt.ts";
import type { BookWorld } from "./book-world.ts";

/** What a target has acknowledged, by key. */
export type Delivered = Map<string, CausalRecord>;

/** What a delivery asks, where every key has these primaries, and every target takes it. */
export function placesOf(primaries: readonly NodeId[]): HintPlaces {
  return {
    self: "self" as NodeId,
    primariesOf: () => primaries,
    fenceOf: () => 0,
    takes: () => true,
    mergeAt: (_id, _placed, _stored, settle) => settle(false),
  };
}

/** Delivers to a map: each record after a while of virtual time, until it is told to fail. */
export class ListPayer implements Payer {
  sent = 0;
  readonly #directory: BookWorld;
  readonly #delivered: Delivered;
  /** Sends after which the target is away. */
  readonly #failsAfter: number;
  #underWay = 0;
  #hasFailed = false;
  #whenIdle: () => void = () => undefined;

  constructor(directory: BookWorld, delivered: Delivered, failsAfter: number = Infinity) {
    this.#directory = directory;
    this.#delivered = delivered;
    this.#failsAfter = failsAfter;
  }

  ready(): Promise<boolean> {
    if (!this.#hasFailed) this.#underWay += 1;
    return Promise.resolve(!this.#hasFailed);
  }

  send(key: Key, stored: StoredRecord, settle: (isPaid: boolean) => void): void {
    this.sent += 1;
    const isPaid = this.sent <= this.#failsAfter;
    const { clock } = this.#directory;
    clock.at(clock.monotonicMs() + 1, () => {
      if (isPaid) {
        const name = latin1(key.key);
        const before = this.#delivered.get(name) ?? emptyRecord;
        this.#delivered.set(name, mergeRecords(before, stored.record));
      } else this.#hasFailed = true;
      settle(isPaid);
      this.skip();
    });
  }

  skip(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#whenIdle();
  }

  ask(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async finish(): Promise<PaymentOutcome> {
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
    }
    return this.#hasFailed ? "target-failed" : "paid";
  }
}
