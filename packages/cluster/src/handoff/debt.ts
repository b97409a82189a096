import type { NodeId, Token } from "@coterie/core";
import type { StoredRecord } from "@coterie/storage";
import type { FetchedResponse, PeerRequest, PeerResponse, SentRecord } from "../messages.ts";
import type { FencedKey } from "../reaping/fenced-key.ts";

/** How long one record, or one answer, may take in a payment, in milliseconds. */
export const callMs = 2000;

/** `missed`: keys that this node wrote and holds itself. `hints`: records held for another. */
export const debtKinds = ["missed", "hints"] as const;
export type DebtKind = (typeof debtKinds)[number];

/** What is left to pay. */
export interface Owed {
  readonly records: number;
  /** `undefined` where it is not known. */
  readonly bytes: number | undefined;
  /** Partitions that may differ by keys which are not known. */
  readonly dirtyPartitions: number;
}

/**
 * How paying ended. `paid`: all that was owed when it began. `target-failed`: it did not answer, or
 * cannot take anything now. `stopped`: the node stops, or something cannot be paid for now.
 */
export type PaymentOutcome = "paid" | "target-failed" | "stopped";

/** Something owed to one target; paid back record by record, by `Handoff`. */
export interface Debt {
  readonly target: NodeId;
  readonly kind: DebtKind;
  owed(): Owed;
  /**
   * Pays until nothing is left or the payer says stop. What is not acknowledged stays owed. Never
   * called while an earlier call has not settled.
   */
  pay(payer: BulkPayer): Promise<PaymentOutcome>;
}

/**
 * Sends records to the target of a debt, no faster than it may. The order of calls for one record:
 * {@link ready}, and if that says true either {@link send} or {@link skip}.
 */
export interface Payer {
  /** Resolves when one more record may be sent; false when paying is over. */
  ready(): Promise<boolean>;
  /** Merges a record into the target's copy. `settle(true)`: it is durable there. */
  send(key: FencedKey, stored: StoredRecord, settle: (isPaid: boolean) => void): void;
  /** Gives back the room that {@link ready} gave: there was nothing to send. */
  skip(): void;
  /** Asks the target; `undefined`, and paying is over, if there is no answer. */
  ask(request: PeerRequest): Promise<PeerResponse | undefined>;
  /** Resolves when everything that was sent has settled, and says how it went. */
  finish(): Promise<PaymentOutcome>;
}

/** Room for records that go together, within what may be under way. */
export interface BatchRoom {
  readonly records: number;
  readonly bytes: number;
}

/**
 * Moves many records at once, both ways. Each batch begins with {@link room} and ends with
 * {@link leave}; in between it makes one call after the other, each when {@link mayGoOn} says so.
 */
export interface BulkPayer extends Payer {
  /** Resolves when there is room for a batch, with it; `undefined` when paying is over. */
  room(): Promise<BatchRoom | undefined>;
  /** Resolves when the next message of a batch may go; false when paying is over. */
  mayGoOn(): Promise<boolean>;
  /** How many of so many go in one message now: fewer while clients wait for the same turns. */
  together(most: number): number;
  /** Resolves when what was being written as it was called has had its time, usually. */
  moment(): Promise<void>;
  /**
   * The target's records under these tokens, or under the first of them, as far as there is room.
   * `undefined`, and paying is over, if there is no answer.
   */
  fetch(room: BatchRoom, tokens: readonly Token[]): Promise<FetchedResponse | undefined>;
  /** Merges records into the target's copies; of each, whether it is durable there. */
  sendAll(records: readonly SentRecord[]): Promise<readonly boolean[]>;
  leave(room: BatchRoom): void;
}
