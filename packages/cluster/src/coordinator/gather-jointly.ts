import type { Member } from "@coterie/core";
import type { Coordination } from "./coordination.ts";
import { type GatherPlan, type Gathered, gather } from "./gather.ts";
import { isAtHand } from "./stand-ins.ts";

type JointPlan<Answer> = Pick<GatherPlan<Answer>, "required" | "deadline" | "ask">;

interface JointMembers {
  readonly present: readonly Member[];
  readonly next: readonly Member[];
}

/**
 * As {@link gather}, from as many of the present owners and from as many of the next: under either
 * table alone a write may have been acknowledged that the other has not heard of. Members of both
 * are asked first, each once, and count for both.
 */
export function gatherJointly<Answer>(
  coordination: Coordination,
  { present, next }: JointMembers,
  plan: JointPlan<Answer>,
  settle: (gathered: Gathered<Answer>) => void,
): void {
  const { clock, counters, routing } = coordination;
  const nowMs = clock.monotonicMs();
  const ask = askOnce(plan.ask);
  let fromPresent: Gathered<Answer> | undefined;
  let fromNext: Gathered<Answer> | undefined;
  const gatherFrom = (
    members: readonly Member[],
    others: readonly Member[],
    take: (gathered: Gathered<Answer>) => void,
  ): void => {
    const ordered = bothFirst(coordination, routing.order(members, nowMs), others);
    gather({ ...plan, clock, counters, routing, members: ordered, ask }, take);
  };
  gatherFrom(present, next, (gathered) => {
    fromPresent = gathered;
    if (!gathered.ok) settle(gathered);
    else if (fromNext !== undefined) settle(together(gathered, fromNext));
  });
  gatherFrom(next, present, (gathered) => {
    fromNext = gathered;
    if (fromPresent?.ok === true) settle(together(fromPresent, gathered));
  });
}

/** What both sets have answered, each member's answer once. */
function together<Answer>(
  fromPresent: Gathered<Answer>,
  fromNext: Gathered<Answer>,
): Gathered<Answer> {
  const { answers } = fromPresent;
  const isNew = ({ member }: { readonly member: Member }): boolean =>
    !answers.some((each) => each.member === member);
  return { ...fromNext, answers: [...answers, ...fromNext.answers.filter(isNew)] };
}

/** Those who count for both sets come first, unless they seem to be away; else as ordered. */
function bothFirst(
  coordination: Coordination,
  ordered: readonly Member[],
  others: readonly Member[],
): readonly Member[] {
  const rank = (member: Member): number => {
    if (!isAtHand(coordination, member)) return 2;
    return others.includes(member) ? 0 : 1;
  };
  return ordered.toSorted((left, right) => rank(left) - rank(right));
}

type Ask<Answer> = GatherPlan<Answer>["ask"];
type Settle<Answer> = Parameters<Ask<Answer>>[1];

interface Question<Answer> {
  readonly waiting: Settle<Answer>[];
  settled: { readonly answer: Answer | undefined } | undefined;
}

/** Asks nobody twice: whoever wants to know what was asked before shares the answer. */
function askOnce<Answer>(ask: Ask<Answer>): Ask<Answer> {
  const asked = new Map<Member, Question<Answer>>();
  return (member, settle, isHedge) => {
    const before = asked.get(member);
    if (before?.settled !== undefined) return settle(before.settled.answer);
    if (before !== undefined) return void before.waiting.push(settle);
    const question: Question<Answer> = { waiting: [settle], settled: undefined };
    asked.set(member, question);
    const share = (answer: Answer | undefined): void => {
      question.settled = { answer };
      for (const each of question.waiting) each(answer);
    };
    ask(member, share, isHedge);
  };
}
