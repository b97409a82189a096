import type { NodeId } from "@coterie/core";
import type { StoredRecord } from "@coterie/storage";
import type { PeerRequest, PeerResponse } from "../messages.ts";
import type { FencedKey } from "../reaping/fenced-key.ts";

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
  pay(payer: Payer): Promise<PaymentOutcome>;
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
