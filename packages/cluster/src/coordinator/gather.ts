import type { Member } from "@coterie/core";
import type { Cancel, Clock, MonotonicMs } from "@coterie/ports";
import type { NodeCounters } from "../node-counters.ts";
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
  /** Called once as many were asked as must answer: true if one more is asked at once. */
  readonly needsMore?: () => boolean;
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
 * would double the work of every read to save a few milliseconds of the rare one. Settles once,
 * within the call if all answer within it.
 */
export function gather<Answer>(
  plan: GatherPlan<Answer>,
  settle: (gathered: Gathered<Answer>) => void,
  deadline: MonotonicMs = plan.deadline,
): void {
  new Gathering(plan, deadline, settle).begin();
}

/** One question to some members, from the first who is asked until enough have answered. */
class Gathering<Answer> {
  readonly #plan: GatherPlan<Answer>;
  readonly #deadline: MonotonicMs;
  readonly #settle: (gathered: Gathered<Answer>) => void;
  readonly #answers: GatheredAnswer<Answer>[] = [];
  #asked = 0;
  #failed = 0;
  #isDone = false;
  #wasLate = false;
  #hedged: Member | undefined;
  #hedgeAfterMs = 0;
  #hedgeAtMs: MonotonicMs = Number.POSITIVE_INFINITY;
  #cancelAlarm: Cancel | undefined;

  constructor(
    plan: GatherPlan<Answer>,
    deadline: MonotonicMs,
    settle: (gathered: Gathered<Answer>) => void,
  ) {
    this.#plan = plan;
    this.#deadline = deadline;
    this.#settle = settle;
  }

  begin(): void {
    const { clock, members, needsMore, required, routing } = this.#plan;
    this.#hedgeAfterMs = routing.begin(members, required);
    if (required < members.length) this.#hedgeAtMs = clock.monotonicMs() + this.#hedgeAfterMs;
    this.#setAlarm();
    for (let index = 0; index < required; index += 1) this.#askNext(false);
    const mayAsk = !this.#isDone && this.#asked < members.length;
    if (mayAsk && needsMore?.() === true) this.#askNext(false);
  }

  #askNext(isHedge: boolean): void {
    const { members, ask } = this.#plan;
    const member = members[this.#asked];
    if (member === undefined) return;
    this.#asked += 1;
    if (isHedge) this.#hedged = member;
    ask(member, (answer) => this.#take(member, answer), isHedge);
  }

  #take(member: Member, answer: Answer | undefined): void {
    if (this.#isDone) return;
    const { clock, members, required } = this.#plan;
    if (answer !== undefined) {
      this.#answers.push({ member, answer });
      if (this.#answers.length >= required) this.#succeed();
      return;
    }
    this.#failed += 1;
    if (members.length - this.#failed >= required) return this.#askNext(false);
    // At the deadline every open call ends as well: that is silence, not a refusal.
    this.#fail(clock.monotonicMs() >= this.#deadline ? "timeout" : "quorum-not-met");
  }

  /** One timer for both: nearly every read ends before either. */
  #setAlarm(): void {
    const dueMs = Math.min(this.#deadline, this.#hedgeAtMs);
    this.#cancelAlarm = this.#plan.clock.at(dueMs, () => this.#ring());
  }

  #ring(): void {
    const nowMs = this.#plan.clock.monotonicMs();
    if (nowMs >= this.#deadline) return this.#fail("timeout");
    this.#hedge(nowMs);
    if (!this.#isDone) this.#setAlarm();
  }

  #hedge(nowMs: MonotonicMs): void {
    const { counters, members, routing } = this.#plan;
    const dueMs = this.#hedgeAtMs;
    if (this.#asked >= members.length) {
      this.#hedgeAtMs = Number.POSITIVE_INFINITY;
      return;
    }
    this.#hedgeAtMs = nowMs + this.#hedgeAfterMs;
    const isExcused = !this.#wasLate && nowMs - dueMs > lateMsMax;
    this.#wasLate = isExcused;
    const silent = silentOf(members, this.#asked, this.#answers);
    if (!isExcused && routing.mayHedge(silent, nowMs)) {
      counters.hedgedReads += 1;
      this.#askNext(true);
    } else counters.hedgesSuppressed += 1;
  }

  #succeed(): void {
    this.#end();
    if (this.#hedged !== undefined) noteWin(this.#plan.counters, this.#hedged, this.#answers);
    this.#settle({ ok: true, answers: this.#answers });
  }

  #fail(code: "quorum-not-met" | "timeout"): void {
    this.#end();
    this.#settle({ ok: false, code, answers: this.#answers });
  }

  #end(): void {
    this.#isDone = true;
    this.#cancelAlarm?.();
  }
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
