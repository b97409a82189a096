import type { Member, NodeId } from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import type { Coordination } from "./coordination.ts";
import type { RequestPlan } from "./request-plan.ts";
import { candidatesOf, standInsOf } from "./stand-ins.ts";

/** How often fallbacks that were out of reach are looked at again, in milliseconds. */
const againMs = 50;

type Take = (member: Member | undefined) => void;

/**
 * Finds fallbacks for one request, each once. On a busy machine a member seems to be out of reach
 * for a moment; so where there is none, the search goes on for most of the request's time.
 */
export class StandInSearch {
  readonly #coordination: Coordination;
  readonly #plan: RequestPlan;
  readonly #endMs: MonotonicMs;
  readonly #asked = new Set<NodeId>();
  #waiting: Take[] = [];

  constructor(coordination: Coordination, plan: RequestPlan) {
    this.#coordination = coordination;
    this.#plan = plan;
    this.#asked.add(coordination.self);
    const now = coordination.clock.monotonicMs();
    this.#endMs = now + ((plan.deadline - now) * 3) / 4;
  }

  /** Calls `take`, now or later, with one that was not asked before; `undefined`: none came. */
  find(take: Take): void {
    const next = this.#next();
    if (next !== undefined || !this.#mayCome()) return take(next);
    this.#waiting.push(take);
    if (this.#waiting.length === 1) this.#wait();
  }

  #wait(): void {
    const { clock } = this.#coordination;
    clock.at(Math.min(this.#endMs, clock.monotonicMs() + againMs), () => {
      while (this.#waiting.length > 0) {
        const next = this.#next();
        if (next === undefined && this.#mayCome()) return this.#wait();
        this.#waiting.shift()?.(next);
      }
    });
  }

  #next(): Member | undefined {
    if (this.#coordination.clock.monotonicMs() >= this.#plan.deadline) return undefined;
    const found = standInsOf(this.#coordination, this.#plan).find(({ id }) => !this.#asked.has(id));
    if (found !== undefined) this.#asked.add(found.id);
    return found;
  }

  #mayCome(): boolean {
    if (this.#coordination.clock.monotonicMs() >= this.#endMs) return false;
    return candidatesOf(this.#coordination, this.#plan).some(({ id }) => !this.#asked.has(id));
  }
}
