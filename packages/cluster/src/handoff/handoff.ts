import type { NodeId } from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import { Account } from "./account.ts";
import type { Debt } from "./debt.ts";
import { type HandoffCounts, newHandoffCounts } from "./handoff-counts.ts";
import type { HandoffParts, HandoffView } from "./handoff-view.ts";
import { Pace } from "./pace.ts";

/**
 * Pays back what this node owes to others: keys that they missed, and records held for them. It
 * begins with an event (the target is said to be alive, its stream is open again, it has answered),
 * stops at the first failure and waits for the next one; now and then it tries without.
 */
export class Handoff {
  readonly counts: HandoffCounts = newHandoffCounts();
  readonly #parts: HandoffParts;
  readonly #pace: Pace;
  readonly #accounts = new Map<NodeId, Account>();
  #isStopped = false;

  constructor(parts: HandoffParts) {
    this.#parts = parts;
    this.#pace = new Pace(parts);
  }

  /** True while nothing is owed to anybody. */
  get isIdle(): boolean {
    return this.#accounts.size === 0;
  }

  /** Takes on a debt, which then owes something; one that it has already is not taken twice. */
  owe(debt: Debt): void {
    if (this.#isStopped) return;
    let account = this.#accounts.get(debt.target);
    if (account === undefined) {
      account = new Account(debt.target, {
        ...this.#parts,
        counts: this.counts,
        pace: this.#pace,
        isStopped: () => this.#isStopped,
        onSettled: (settled) => this.#accounts.delete(settled),
      });
      this.#accounts.set(debt.target, account);
    }
    account.add(debt);
  }

  /** Something says that the target may answer now. */
  wake(target: NodeId): void {
    this.#accounts.get(target)?.wake();
  }

  /** The target has acknowledged something. Called often, and cheap while nothing is owed. */
  noteAnswer(target: NodeId): void {
    if (this.#accounts.size > 0) this.#accounts.get(target)?.noteAnswer();
  }

  view(): HandoffView {
    const now: MonotonicMs = this.#parts.clock.monotonicMs();
    const debts = [...this.#accounts.values()].flatMap((account) => account.view(now));
    return {
      debts: debts.toSorted((left, right) => (left.target < right.target ? -1 : 1)),
      counts: this.counts,
    };
  }

  /** Resolves when nothing of it is under way any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const account of this.#accounts.values()) await account.stop();
  }
}
