import type { Member } from "@coterie/core";
import { type GatherPlan, type Gathered, gather } from "./gather.ts";
import { silentAt } from "./stand-ins.ts";

export interface StandIns {
  /** Of the answers required, so many must be of the plan's members themselves. */
  readonly primaries: number;
  readonly isAtHand: (member: Member) => boolean;
  /** Who may answer in place of members out of reach, best first. */
  readonly fallbacks: () => readonly Member[];
}

/**
 * As {@link gather}, from primaries; where they are too few, because others are known to be out of
 * reach, fail, or are silent for long, fallbacks are asked beside them.
 */
export async function gatherWithStandIns<Answer>(
  plan: GatherPlan<Answer>,
  standIns: StandIns,
): Promise<Gathered<Answer>> {
  const { clock, deadline, members, required } = plan;
  let gathered: Gathered<Answer> = { ok: false, code: "quorum-not-met", answers: [] };
  if (members.filter(standIns.isAtHand).length >= required) {
    const patience = silentAt(clock.monotonicMs(), deadline);
    gathered = await gather({ ...plan, deadline: patience });
    if (gathered.ok) return gathered;
  }
  const { answers } = gathered;
  const others = members.filter((member) => !answers.some((each) => each.member === member));
  const asked = withStandIns(others, standIns, required, members.length);
  const missing = required - answers.length;
  if (asked.length < missing) return gathered;
  const more = await gather({ ...plan, members: asked, required: missing });
  return { ...more, answers: [...answers, ...more.answers] };
}

/** Whom to ask: those at hand, then fallbacks, and then those who were thought to be away. */
function withStandIns(
  members: readonly Member[],
  { primaries, isAtHand, fallbacks }: StandIns,
  required: number,
  n: number,
): readonly Member[] {
  // As many as may count where primaries are required, else some more, for those that fail.
  const most = primaries === 0 ? n : Math.max(0, required - primaries);
  const [near, away] = [members.filter(isAtHand), members.filter((each) => !isAtHand(each))];
  return [...near, ...fallbacks().slice(0, most), ...away];
}
