import type { Member } from "@coterie/core";
import type { Cancel, Clock, MonotonicMs } from "@coterie/ports";
import type { NodeCounters } from "../node-counters.ts";
import { oneShot } from "../one-shot.ts";

export interface GatherPlan<Answer> {
  readonly clock: Clock;
  readonly counters: Pick<NodeCounters, "hedgedReads">;
  readonly deadline: MonotonicMs;
  /** Whom to ask, best first. */
  readonly members: readonly Member[];
  /** How many must answer; the first so many are asked at once. */
  readonly required: number;
  /** Silence after which all others are asked too. */
  readonly hedgeAfterMs: number;
  /** Asks one member; `settle` with its answer, or with `undefined` if it has none. */
  readonly ask: (member: Member, settle: (answer: Answer | undefined) => void) => void;
}

export interface GatheredAnswer<Answer> {
  readonly member: Member;
  readonly answer: Answer;
}

export type Gathered<Answer> =
  | { readonly ok: true; readonly answers: readonly GatheredAnswer<Answer>[] }
  | {
      readonly ok: false;
      readonly code: "quorum-not-met" | "timeout";
      readonly answers: readonly GatheredAnswer<Answer>[];
    };

/**
 * Asks as many members as must answer; a failure moves on to the next member at once, silence to
 * all that are left after a while. Asking all at once would double the work of every read to save
 * a few milliseconds of the rare one.
 */
export function gather<Answer>(plan: GatherPlan<Answer>): Promise<Gathered<Answer>> {
  const { promise, settle } = oneShot<Gathered<Answer>>();
  const answers: GatheredAnswer<Answer>[] = [];
  const cancels: Cancel[] = [];
  let asked = 0;
  let failed = 0;
  let isDone = false;

  const finish = (outcome: Gathered<Answer>): void => {
    isDone = true;
    for (const cancel of cancels) cancel();
    settle(outcome);
  };
  const askNext = (): void => {
    const member = plan.members[asked];
    if (member === undefined) return;
    asked += 1;
    plan.ask(member, (answer) => {
      if (isDone) return;
      if (answer === undefined) {
        failed += 1;
        if (plan.members.length - failed < plan.required) {
          // At the deadline every open call ends as well: that is silence, not a refusal.
          const isLate = plan.clock.monotonicMs() >= plan.deadline;
          return finish({ ok: false, code: isLate ? "timeout" : "quorum-not-met", answers });
        }
        return askNext();
      }
      answers.push({ member, answer });
      if (answers.length >= plan.required) finish({ ok: true, answers });
    });
  };

  const start = plan.clock.monotonicMs();
  cancels.push(plan.clock.at(plan.deadline, () => finish({ ok: false, code: "timeout", answers })));
  if (plan.required < plan.members.length) {
    cancels.push(
      plan.clock.at(start + plan.hedgeAfterMs, () => {
        if (asked < plan.members.length) plan.counters.hedgedReads += 1;
        while (asked < plan.members.length) askNext();
      }),
    );
  }
  for (let index = 0; index < plan.required; index += 1) askNext();
  return promise;
}
