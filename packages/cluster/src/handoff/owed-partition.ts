import type { PartitionId, Token } from "@coterie/core";
import { TokenSet } from "./token-set.ts";

/** What one target missed of one partition. */
export class OwedPartition {
  readonly partition: PartitionId;
  /** Keys noted since the last payment began. */
  #noted = new TokenSet();
  /** Keys taken for a payment that has not settled for them. */
  #unpaid = 0;
  #isDirty = false;
  #isComparing = false;
  /** It became dirty again while it was compared. */
  #isDirtyAgain = false;

  constructor(partition: PartitionId) {
    this.partition = partition;
  }

  get keys(): number {
    return this.#noted.size + this.#unpaid;
  }

  /** True if it may differ by keys that are not known. */
  get isDirty(): boolean {
    return this.#isDirty;
  }

  get isPaid(): boolean {
    return this.keys === 0 && !this.#isDirty;
  }

  /** True if notes of keys say nothing that is not known: all of them are to be compared. */
  get coversAll(): boolean {
    return this.#isDirty && !this.#isComparing;
  }

  /** Notes a key; false if it was noted already, and has not been taken for payment since. */
  add(token: Token): boolean {
    return this.#noted.add(token);
  }

  /** Gives the keys up for a comparison of lists; returns how many they were. */
  soil(): number {
    const given = this.#noted.size;
    if (given > 0) this.#noted = new TokenSet();
    if (this.#isComparing) this.#isDirtyAgain = true;
    else this.#isDirty = true;
    return given;
  }

  /** Takes the keys for payment: each is to be settled by {@link settle}. */
  take(): TokenSet {
    const taken = this.#noted;
    this.#noted = new TokenSet();
    this.#unpaid += taken.size;
    return taken;
  }

  /**
   * A key that was taken is paid, or still owed. What was noted of it meanwhile stays: it may be
   * about a newer record. Returns by how many the keys owed have become fewer.
   */
  settle(token: Token, isPaid: boolean): number {
    this.#unpaid -= 1;
    if (isPaid || this.coversAll) return 1;
    return this.#noted.add(token) ? 0 : 1;
  }

  beginComparison(): void {
    this.#isComparing = true;
    this.#isDirtyAgain = false;
  }

  endComparison(isEqual: boolean): void {
    this.#isComparing = false;
    this.#isDirty = !isEqual || this.#isDirtyAgain;
  }
}
