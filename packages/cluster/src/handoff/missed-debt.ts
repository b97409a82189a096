import {
  type NodeId,
  type PartitionId,
  type Token,
  decodeRecordKey,
  invariant,
} from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import type { PlacedKey } from "@coterie/storage";
import { exchange } from "../anti-entropy/exchange.ts";
import type { Coordination } from "../coordinator/coordination.ts";
import type { BulkPayer, Debt, Owed, Payer, PaymentOutcome } from "./debt.ts";
import type { HandoffCounts } from "./handoff-counts.ts";
import { isTaker } from "../moves/roles.ts";
import { OwedPartition } from "./owed-partition.ts";

/** How many keys are remembered, those of all targets together. */
export interface KeyBudget {
  used: number;
  readonly most: number;
  readonly mostForOne: number;
}

export interface MissedDebtParts extends Pick<
  Coordination,
  "self" | "clock" | "store" | "replica" | "ring"
> {
  readonly target: NodeId;
  readonly budget: KeyBudget;
  readonly counts: HandoffCounts;
  /** A partition owes something that owed nothing. */
  readonly onOwed: () => void;
  /** A partition owes nothing any more. */
  readonly onPaid: () => void;
  /** A comparison with the target brought here what this node lacked. */
  readonly onTaken: (placed: PlacedKey) => void;
}

/** What one node missed of the keys that this one holds too. */
export class MissedDebt implements Debt {
  readonly target: NodeId;
  readonly kind = "missed";
  readonly #parts: MissedDebtParts;
  readonly #partitions = new Map<PartitionId, OwedPartition>();
  #keys = 0;
  #suspects: readonly PartitionId[] = [];
  #suspectsFromMs: MonotonicMs = 0;
  /** Something could not be read here. */
  #isStuck = false;

  constructor(parts: MissedDebtParts) {
    this.target = parts.target;
    this.#parts = parts;
  }

  owed(): Owed {
    let dirtyPartitions = this.#suspects.length;
    for (const each of this.#partitions.values()) if (each.isDirty) dirtyPartitions += 1;
    return { records: this.#keys, bytes: undefined, dirtyPartitions };
  }

  /** Partitions that owe anything, in ascending order. */
  partitions(): readonly PartitionId[] {
    const owing = new Set([...this.#partitions.keys(), ...this.#suspects]);
    return [...owing].toSorted((left, right) => left - right);
  }

  /** The target did not acknowledge a record of this key. */
  note(partition: PartitionId, token: Token): void {
    const owing = this.#owing(partition);
    if (owing.coversAll || !owing.add(token)) return;
    const { budget, counts } = this.#parts;
    this.#keys += 1;
    budget.used += 1;
    if (budget.used <= budget.most && this.#keys <= budget.mostForOne) return;
    counts.overBudget += 1;
    this.#forget(owing.soil());
  }

  /** The target may have missed anything of the partition. */
  soil(partition: PartitionId): void {
    this.#forget(this.#owing(partition).soil());
  }

  /**
   * After a crash: the target and this node may differ in any of these partitions, by what was
   * under way. They are compared from `fromMs` on, when what was noted is probably paid.
   */
  suspect(partitions: readonly PartitionId[], fromMs: MonotonicMs): void {
    this.#suspects = partitions;
    this.#suspectsFromMs = fromMs;
    this.#parts.onOwed();
  }

  async pay(payer: BulkPayer): Promise<PaymentOutcome> {
    this.#isStuck = false;
    this.#forgetMoved();
    for (const owing of this.#partitions.values()) await this.#payKeys(payer, owing);
    const outcome = await payer.finish();
    if (outcome === "target-failed") return outcome;
    if (this.#parts.clock.monotonicMs() >= this.#suspectsFromMs) {
      for (const partition of this.#suspects) this.soil(partition);
      this.#suspects = [];
    }
    await this.#compare(payer);
    const compared = await payer.finish();
    return compared === "paid" && (this.#isStuck || outcome === "stopped") ? "stopped" : compared;
  }

  /**
   * Nothing is owed any more where the target takes nothing, or where nothing is here: whoever has
   * copies of what has moved compares them, and before this node dropped its own it has shown it.
   */
  #forgetMoved(): void {
    const { ring, self } = this.#parts;
    const isOwed = (partition: PartitionId): boolean =>
      isTaker(ring(), this.target, partition) && ring().isHolder(self, partition);
    this.#suspects = this.#suspects.filter(isOwed);
    for (const [partition, owing] of this.#partitions) {
      if (isOwed(partition)) continue;
      this.#forget(owing.soil());
      this.#partitions.delete(partition);
      this.#parts.onPaid();
    }
  }

  async #payKeys(payer: Payer, owing: OwedPartition): Promise<void> {
    let isGoingOn = true;
    for (const token of owing.take()) {
      isGoingOn &&= await payer.ready();
      if (isGoingOn) this.#payKey(payer, owing, token);
      else this.#settle(owing, token, false);
    }
  }

  #payKey(payer: Payer, owing: OwedPartition, token: Token): void {
    const { partition } = owing;
    const fence = this.#parts.replica.fence(partition).raised;
    this.#parts.store.find({ partition, token, evenIfDamaged: false }, (found) => {
      const [stored, another] = found === "unknown" ? [] : found;
      if (stored === undefined || another !== undefined) {
        if (found === "unknown") this.#isStuck = true;
        // Keys that share a token are rare: an exchange knows how to tell them apart.
        if (another !== undefined) this.soil(partition);
        this.#settle(owing, token, found !== "unknown");
        return payer.skip();
      }
      const key = decodeRecordKey(stored.bytes);
      invariant(key !== undefined, "a record that was read has a key");
      payer.send({ ...key, partition, token, fence }, stored, (isPaid) => {
        this.#settle(owing, token, isPaid);
      });
    });
  }

  /** Compares what is dirty: nobody knows which keys differ there. */
  async #compare(payer: BulkPayer): Promise<void> {
    const dirty = new Map<PartitionId, OwedPartition>();
    for (const owing of this.#partitions.values()) {
      if (owing.isDirty) dirty.set(owing.partition, owing);
    }
    if (dirty.size === 0) return;
    for (const owing of dirty.values()) owing.beginComparison();
    const end = (owing: OwedPartition, isEqual: boolean): void => {
      dirty.delete(owing.partition);
      owing.endComparison(isEqual);
      this.#closeIfPaid(owing);
    };
    await exchange(this.#parts, payer, [...dirty.keys()], {
      onComplete: (partition) => end(dirty.get(partition) as OwedPartition, true),
      onExchanged: () => undefined,
    });
    if (dirty.size > 0) this.#isStuck = true;
    for (const owing of dirty.values()) end(owing, false);
  }

  #settle(owing: OwedPartition, token: Token, isPaid: boolean): void {
    this.#forget(owing.settle(token, isPaid));
    this.#closeIfPaid(owing);
  }

  #closeIfPaid(owing: OwedPartition): void {
    if (!owing.isPaid || !this.#partitions.delete(owing.partition)) return;
    this.#parts.onPaid();
  }

  #forget(keys: number): void {
    this.#keys -= keys;
    this.#parts.budget.used -= keys;
  }

  #owing(partition: PartitionId): OwedPartition {
    let owing = this.#partitions.get(partition);
    if (owing === undefined) {
      owing = new OwedPartition(partition);
      this.#partitions.set(partition, owing);
      this.#parts.onOwed();
    }
    return owing;
  }
}
