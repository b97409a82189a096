import type { Member } from "@coterie/core";
import type { Cancel, Clock, MonotonicMs } from "@coterie/ports";
import type { NodeCounters } from "../node-counters.ts";
import { oneShot } from "../one-shot.ts";
import type { ReadRouting } from "./read-routing.ts";

export interface GatherPlan<Answer> {
  readonly clock: Clock;
  readonly counters: HedgeCounters;
  readonly routing: Pick<ReadRouting, "begin" | "mayHedge">;
  readonly deadline: MonotonicMs;
  /** Whom to ask, best first. */
  readonly members: readonly Member[];
  /** How many must answer; the first so many are asked at once. */
  readonly required: number;
  /** Asks one member; `settle` with its answer, or with `undefined` if it has none. */
  readonly ask: Ask<Answer>;
}

type Ask<Answer> = (
  member: Member,
  settle: (answer: Answer | undefined) => void,
  /** True for one asked because others are silent. */
  isHedge: boolean,
) => void;

type HedgeCounters = Pick<NodeCounters, "hedgedReads" | "hedgesWon" | "hedgesSuppressed">;

/** A timer later than this says that this process stood still: its peers get another chance. */
const lateMsMax = 15;

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
 * Asks as many members as must answer; a failure moves on to the next member at once, silence past
 * what nearly all reads take to one more, as far as the budget of hedges goes. Asking all at once
 * would double the work of every read to save a few milliseconds of the rare one.
 */
export function gather<Answer>(plan: GatherPlan<Answer>): Promise<Gathered<Answer>> {
  const { clock, counters, members, required } = plan;
  const { promise, settle } = oneShot<Gathered<Answer>>();
  const answers: GatheredAnswer<Answer>[] = [];
  let asked = 0;
  let failed = 0;
  let isDone = false;
  let hedged: Member | undefined;
  let cancelHedge: Cancel | undefined;
  let wasLate = false;

  const finish = (outcome: Gathered<Answer>): void => {
    isDone = true;
    cancelDeadline();
    cancelHedge?.();
    if (hedged !== undefined && outcome.ok) noteWin(counters, hedged, answers);
    settle(outcome);
  };
  const askNext = (isHedge: boolean): void => {
    const member = members[asked];
    if (member === undefined) return;
    asked += 1;
    if (isHedge) hedged = member;
    const take = (answer: Answer | undefined): void => {
      if (isDone) return;
      if (answer === undefined) {
        failed += 1;
        if (members.length - failed < required) {
          // At the deadline every open call ends as well: that is silence, not a refusal.
          const isLate = clock.monotonicMs() >= plan.deadline;
          return finish({ ok: false, code: isLate ? "timeout" : "quorum-not-met", answers });
        }
        return askNext(false);
      }
      answers.push({ member, answer });
      if (answers.length >= required) finish({ ok: true, answers });
    };
    plan.ask(member, take, isHedge);
  };
  const waitForAll = (ms: number, sinceMs: MonotonicMs): void => {
    const dueMs = sinceMs + ms;
    cancelHedge = clock.at(dueMs, () => {
      if (asked >= members.length) return;
      const now = clock.monotonicMs();
      const isExcused = !wasLate && now - dueMs > lateMsMax;
      wasLate = isExcused;
      const silent = silentOf(members, asked, answers);
      if (!isExcused && plan.routing.mayHedge(silent, now)) {
        counters.hedgedReads += 1;
        askNext(true);
      } else counters.hedgesSuppressed += 1;
      waitForAll(ms, now);
    });
  };

  const cancelDeadline = clock.at(plan.deadline, () =>
    finish({ ok: false, code: "timeout", answers }),
  );
  const hedgeAfterMs = plan.routing.begin(members, required);
  if (required < members.length) waitForAll(hedgeAfterMs, clock.monotonicMs());
  for (let index = 0; index < required; index += 1) askNext(false);
  return promise;
}

/** Of the first `asked` members those that have not answered. */
function silentOf<Answer>(
  members: readonly Member[],
  asked: number,
  answers: readonly GatheredAnswer<Answer>[],
): readonly Member[] {
  return members
    .slice(0, asked)
    .filter((member) => !answers.some((answer) => answer.member === member));
}

/** A hedge has won if the read would have waited without its answer. */
function noteWin<Answer>(
  counters: HedgeCounters,
  hedged: Member,
  answers: readonly GatheredAnswer<Answer>[],
): void {
  if (answers.some(({ member }) => member === hedged)) counters.hedgesWon += 1;
}
