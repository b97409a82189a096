import type { TopologyChange } from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";

/** How long a plan is remembered, in milliseconds: time to read it, and to ask a colleague. */
const keptMs = 600_000;
/** Plans remembered; the oldest goes. */
const plansMax = 32;
/** Digits of a hash that name a plan at least. */
const digitsMin = 8;

interface KeptPlan {
  readonly change: TopologyChange;
  readonly at: MonotonicMs;
}

/** The plans that this node has shown lately, by their hashes. In memory only. */
export class PlanBook {
  readonly #plans = new Map<string, KeptPlan>();

  keep(hash: string, change: TopologyChange, now: MonotonicMs): void {
    this.#plans.delete(hash);
    this.#plans.set(hash, { change, at: now });
    const [oldest] = this.#plans.keys();
    if (this.#plans.size > plansMax && oldest !== undefined) this.#plans.delete(oldest);
  }

  /** The one plan whose hash begins with these digits. */
  find(
    digits: string,
    now: MonotonicMs,
  ): { readonly hash: string; readonly change: TopologyChange } | undefined {
    if (digits.length < digitsMin) return undefined;
    const found = [...this.#plans].filter(
      ([hash, { at }]) => hash.startsWith(digits) && now - at <= keptMs,
    );
    const [only] = found;
    if (only === undefined || found.length > 1) return undefined;
    const [hash, { change }] = only;
    return { hash, change };
  }
}
