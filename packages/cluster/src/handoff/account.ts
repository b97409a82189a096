import type { NodeId } from "@coterie/core";
import type { Cancel, MonotonicMs } from "@coterie/ports";
import type { Debt } from "./debt.ts";
import type { DebtView, HandoffParts } from "./handoff-view.ts";
import type { HandoffCounts } from "./handoff-counts.ts";
import type { Pace } from "./pace.ts";
import { Estate } from "./estate.ts";
import { Payment } from "./payment.ts";

/** Pause before the next attempt without an event, doubled by each failure, in milliseconds. */
const retryMsMin = 500;
const retryMsMax = 15_000;
/** Events that come sooner after a failed attempt wait for this long: streams may flap. */
const restMs = 100;

export interface AccountParts extends HandoffParts {
  readonly counts: HandoffCounts;
  readonly pace: Pace;
  readonly isStopped: () => boolean;
  /** Nothing is owed any more. */
  readonly onSettled: (target: NodeId) => void;
}

/** All that is owed to one target; at most one payment to it is under way. */
export class Account {
  readonly #target: NodeId;
  readonly #parts: AccountParts;
  readonly #debts: Debt[] = [];
  readonly #sinceMs: MonotonicMs;
  #paying: Promise<void> | undefined;
  #payingSinceMs: MonotonicMs = 0;
  /** Records paid since something was first owed, and until the payment under way began. */
  #paid = 0;
  #paidAtStart = 0;
  #hasAnswered = true;
  #failures = 0;
  #lastEndMs: MonotonicMs;
  #hasNews = false;
  #cancelRetry: Cancel = () => undefined;

  constructor(target: NodeId, parts: AccountParts) {
    this.#target = target;
    this.#parts = parts;
    this.#sinceMs = parts.clock.monotonicMs();
    this.#lastEndMs = this.#sinceMs;
    this.#retryAfter(retryMsMin);
  }

  add(debt: Debt): void {
    if (!this.#debts.includes(debt)) this.#debts.push(debt);
  }

  wake(): void {
    this.#failures = 0;
    if (this.#paying !== undefined) {
      this.#hasNews = true;
      return;
    }
    const restedMs = this.#parts.clock.monotonicMs() - this.#lastEndMs;
    if (restedMs >= restMs) this.#begin();
    else this.#retryAfter(restMs - restedMs);
  }

  /** Of no use to a target that took what it could: what is left waits for its time. */
  noteAnswer(): void {
    if (this.#paying !== undefined || (this.#hasAnswered && this.#failures > 0)) return;
    const restedMs = this.#parts.clock.monotonicMs() - this.#lastEndMs;
    if (restedMs >= retryMsMin) this.#begin();
  }

  view(now: MonotonicMs): readonly DebtView[] {
    const state = this.#paying === undefined ? "waiting" : "delivering";
    const elapsedMs = now - this.#payingSinceMs;
    const paid = this.#paid - this.#paidAtStart;
    const rate = state === "waiting" || elapsedMs <= 0 ? 0 : (paid * 1000) / elapsedMs;
    return this.#debts.map((debt) => {
      const { records, bytes, dirtyPartitions } = debt.owed();
      return {
        target: this.#target,
        kind: debt.kind,
        records,
        bytes,
        dirtyPartitions,
        state,
        recordsPerSecond: rate,
        etaMs: rate === 0 ? undefined : (records * 1000) / rate,
        ageMs: now - this.#sinceMs,
      };
    });
  }

  async stop(): Promise<void> {
    this.#cancelRetry();
    await this.#paying;
  }

  #begin(): void {
    this.#cancelRetry();
    if (this.#parts.isStopped() || !this.#parts.pace.isMoving) return;
    this.#payingSinceMs = this.#parts.clock.monotonicMs();
    this.#paidAtStart = this.#paid;
    this.#hasNews = false;
    this.#paying = this.#pay().then((hasFailed) => {
      this.#paying = undefined;
      this.#ended(hasFailed);
    });
  }

  /** Pays every debt; true if something could not be paid. */
  async #pay(): Promise<boolean> {
    let hasFailed = false;
    for (const debt of this.#debts) {
      const member = this.#parts.ring().member(this.#target);
      if (member === undefined) {
        // What was held for it goes to others; nothing else is owed to who is no member.
        const settled = await debt.pay(new Estate(this.#parts.isStopped));
        if (settled !== "paid") hasFailed = true;
        continue;
      }
      const payment = new Payment({
        ...this.#parts,
        member,
        onPaid: (bytes) => {
          this.#paid += 1;
          this.#parts.counts.paid[debt.kind] += 1;
          this.#parts.counts.bytes += bytes;
        },
        // Nothing is reaped while a member holds hints of the partition: so one that is refused as
        // older was delivered before, and is back with an old copy of this directory.
        wasPaidBefore: (code) => debt.kind === "hints" && code === "behind-fence",
        onFailed: () => {
          this.#parts.counts.failed[debt.kind] += 1;
        },
      });
      const outcome = await debt.pay(payment);
      if (outcome !== "paid") hasFailed = true;
      this.#hasAnswered = outcome !== "target-failed";
      if (!this.#hasAnswered || this.#parts.isStopped()) break;
    }
    return hasFailed;
  }

  #ended(hasFailed: boolean): void {
    if (this.#parts.isStopped()) return;
    const now = this.#parts.clock.monotonicMs();
    this.#lastEndMs = now;
    this.#failures = hasFailed ? this.#failures + 1 : 0;
    for (let at = this.#debts.length - 1; at >= 0; at -= 1) {
      const { records, dirtyPartitions } = (this.#debts[at] as Debt).owed();
      if (records === 0 && dirtyPartitions === 0) this.#debts.splice(at, 1);
    }
    if (this.#debts.length === 0) {
      this.#parts.onSettled(this.#target);
      const records = this.#paid;
      const durationMs = now - this.#sinceMs;
      this.#parts.onEvent({ kind: "paid", target: this.#target, records, durationMs });
    } else if (this.#hasNews) this.#retryAfter(restMs);
    else {
      const doublings = Math.min(Math.max(0, this.#failures - 1), 10);
      this.#retryAfter(Math.min(retryMsMax, retryMsMin * 2 ** doublings));
    }
  }

  #retryAfter(ms: number): void {
    const { clock } = this.#parts;
    this.#cancelRetry();
    this.#cancelRetry = clock.at(clock.monotonicMs() + ms, () => {
      if (this.#paying === undefined) this.#begin();
    });
  }
}
