/**
 * The number of one attempt to change a register. Ballots are totally ordered, and no two attempts
 * have the same one: a proposer never uses a round twice, and durably so.
 */
export interface Ballot {
  /** At most {@link roundMax}. */
  readonly round: number;
  /** 32 hex digits that no other proposer has: the nonce of its directory. */
  readonly proposer: string;
}

/** Lower than every ballot that is proposed: what a register holds before its first change. */
export const ballotZero: Ballot = { round: 0, proposer: "0".repeat(32) };

/** Rounds travel in 32 bits. */
export const roundMax = 0xffff_ffff;

/** Negative if `left` is the lower one, 0 if they are the same. */
export function compareBallots(left: Ballot, right: Ballot): number {
  if (left.round !== right.round) return left.round - right.round;
  if (left.proposer === right.proposer) return 0;
  return left.proposer < right.proposer ? -1 : 1;
}

/** The lowest ballot of `proposer` that is higher than `than`. */
export function ballotAbove(than: Ballot, proposer: string): Ballot {
  const round = proposer > than.proposer && than.round > 0 ? than.round : than.round + 1;
  return { round, proposer };
}
