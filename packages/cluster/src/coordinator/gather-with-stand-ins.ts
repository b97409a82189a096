import type { Member } from "@coterie/core";
import type { Coordination } from "./coordination.ts";
import { type GatherPlan, type Gathered, gather } from "./gather.ts";
import type { RequestPlan } from "./request-plan.ts";
import { isAtHand, silentAt, standInsOf } from "./stand-ins.ts";

/**
 * As {@link gather}, from primaries; where they are too few, because others are known to be out of
 * reach, fail, or are silent for long, fallbacks are asked beside them.
 */
export function gatherWithStandIns<Answer>(
  coordination: Coordination,
  plan: RequestPlan,
  asked: GatherPlan<Answer>,
  settle: (gathered: Gathered<Answer>) => void,
): void {
  const { clock, deadline, members, required } = asked;
  if (countAtHand(coordination, members) < required) {
    return gatherMore(coordination, plan, asked, none, settle);
  }
  const patience = silentAt(clock.monotonicMs(), deadline);
  const take = (gathered: Gathered<Answer>): void => {
    if (gathered.ok) settle(gathered);
    else gatherMore(coordination, plan, asked, gathered, settle);
  };
  gather(asked, take, patience);
}

const none = { ok: false, code: "quorum-not-met", answers: [] } as const;

/** Asks who has not answered yet, and fallbacks, for what is missing. */
function gatherMore<Answer>(
  coordination: Coordination,
  plan: RequestPlan,
  asked: GatherPlan<Answer>,
  gathered: Gathered<Answer>,
  settle: (gathered: Gathered<Answer>) => void,
): void {
  const { answers } = gathered;
  const others = asked.members.filter((each) => !answers.some(({ member }) => member === each));
  const missing = asked.required - answers.length;
  const members = withStandIns(coordination, plan, others, asked);
  if (members.length < missing) return settle(gathered);
  gather({ ...asked, members, required: missing }, (more) => {
    settle({ ...more, answers: [...answers, ...more.answers] });
  });
}

/** Whom to ask: those at hand, then fallbacks, and then those who were thought to be away. */
function withStandIns(
  coordination: Coordination,
  plan: RequestPlan,
  others: readonly Member[],
  { members, required }: Pick<GatherPlan<unknown>, "members" | "required">,
): readonly Member[] {
  const primaries = plan.quorum.pr;
  // As many as may count where primaries are required, else some more, for those that fail.
  const most = primaries === 0 ? members.length : Math.max(0, required - primaries);
  const isNear = (member: Member): boolean => isAtHand(coordination, member);
  const [near, away] = [others.filter(isNear), others.filter((each) => !isNear(each))];
  return [...near, ...standInsOf(coordination, plan).slice(0, most), ...away];
}

function countAtHand(coordination: Coordination, members: readonly Member[]): number {
  let count = 0;
  for (const member of members) if (isAtHand(coordination, member)) count += 1;
  return count;
}
