import { describe, expect, it } from "vitest";
import { type AcceptorState, accept, prepare } from "../../src/agreement/acceptor.ts";
import { ballotAbove, ballotZero, compareBallots } from "../../src/agreement/ballot.ts";
import { Proposal } from "../../src/agreement/proposal.ts";

const proposer = (name: string): string => name.repeat(32);
const ballot = (round: number, name: string): { round: number; proposer: string } => {
  return { round, proposer: proposer(name) };
};
const holding = (value: number): AcceptorState<number> => {
  return { promised: ballotZero, accepted: { ballot: ballotZero, value } };
};

describe("ballots", () => {
  it("are ordered by round, then by proposer", () => {
    const sorted = [ballot(2, "a"), ballot(1, "b"), ballotZero, ballot(1, "a")].toSorted(
      compareBallots,
    );
    expect(sorted).toEqual([ballotZero, ballot(1, "a"), ballot(1, "b"), ballot(2, "a")]);
    expect(compareBallots(ballot(1, "a"), ballot(1, "a"))).toBe(0);
  });

  it.each([
    [ballotZero, "a", ballot(1, "a")],
    [ballot(1, "a"), "a", ballot(2, "a")],
    [ballot(1, "a"), "b", ballot(1, "b")],
    [ballot(1, "b"), "a", ballot(2, "a")],
  ])("the next above %o for %s is %o", (than, name, next) => {
    expect(ballotAbove(than, proposer(name))).toEqual(next);
    expect(compareBallots(next, than)).toBeGreaterThan(0);
  });
});

describe("an acceptor", () => {
  it("promises, accepts, and refuses what is below its promise", () => {
    const promised = prepare(holding(7), ballot(1, "b"));
    expect(promised.reply).toEqual({
      kind: "promised",
      accepted: { ballot: ballotZero, value: 7 },
    });
    const lower = prepare(promised.state, ballot(1, "a"));
    expect(lower.reply).toEqual({ kind: "outbid", promised: ballot(1, "b") });
    expect(lower.state).toBe(promised.state);
    const late = accept(promised.state, { ballot: ballot(1, "a"), value: 8 });
    expect(late.reply).toEqual({ kind: "outbid", promised: ballot(1, "b") });
    expect(late.state).toBe(promised.state);
    const accepted = accept(promised.state, { ballot: ballot(1, "b"), value: 8 });
    expect(accepted.reply).toEqual({ kind: "accepted" });
    expect(accepted.state.accepted).toEqual({ ballot: ballot(1, "b"), value: 8 });
  });

  it("answers what is repeated alike, and has nothing to store for it", () => {
    const promised = prepare(holding(7), ballot(1, "a"));
    const again = prepare(promised.state, ballot(1, "a"));
    expect(again).toEqual(promised);
    expect(again.state).toBe(promised.state);
    const accepted = accept(promised.state, { ballot: ballot(1, "a"), value: 8 });
    const twice = accept(accepted.state, { ballot: ballot(1, "a"), value: 8 });
    expect(twice.reply).toEqual({ kind: "accepted" });
    expect(twice.state).toBe(accepted.state);
  });

  it("accepts without having promised: it heard of the ballot too late", () => {
    const accepted = accept(holding(7), { ballot: ballot(3, "a"), value: 8 });
    expect(accepted.state).toEqual({
      promised: ballot(3, "a"),
      accepted: { ballot: ballot(3, "a"), value: 8 },
    });
  });
});

describe("a proposal", () => {
  const proposal = (): Proposal<number> =>
    new Proposal<number>({
      ballot: ballot(5, "a"),
      voters: ["1", "2", "3"],
      change: (current) => current + 1,
    });
  const promise = (round: number, value: number) =>
    ({ kind: "promised", accepted: { ballot: ballot(round, "b"), value } }) as const;

  it("changes the value of the highest ballot that a majority knows of", () => {
    const one = proposal();
    one.receivePromise("1", promise(2, 10));
    one.receivePromise("1", promise(2, 10));
    expect(one.phase).toEqual({ phase: "preparing" });
    one.receivePromise("3", promise(1, 20));
    expect(one.phase).toEqual({ phase: "accepting", value: 11 });
    one.receivePromise("2", promise(4, 30));
    one.receiveAcceptance("2", { kind: "accepted" });
    one.receiveAcceptance("2", { kind: "accepted" });
    expect(one.phase).toEqual({ phase: "accepting", value: 11 });
    one.receiveAcceptance("1", { kind: "accepted" });
    expect(one.phase).toEqual({ phase: "chosen", value: 11 });
  });

  it("fails when no majority promises: then surely nothing was chosen", () => {
    const one = proposal();
    one.receivePromise("1", { kind: "outbid", promised: ballot(9, "c") });
    one.receivePromise("2", undefined);
    expect(one.phase).toEqual({ phase: "failed", mayBeChosen: false });
    expect(one.outbidBy).toEqual(ballot(9, "c"));
  });

  it("fails when no majority accepts: then it may be chosen later", () => {
    const one = proposal();
    one.receivePromise("1", promise(1, 10));
    one.receivePromise("2", promise(1, 10));
    one.receiveAcceptance("1", { kind: "outbid", promised: ballot(7, "b") });
    one.receiveAcceptance("2", { kind: "outbid", promised: ballot(6, "b") });
    expect(one.phase).toEqual({ phase: "failed", mayBeChosen: true });
    expect(one.outbidBy).toEqual(ballot(7, "b"));
  });

  it("takes a promise that no acceptor gives for none", () => {
    const one = proposal();
    one.receivePromise("1", promise(5, 10));
    one.receivePromise("2", promise(6, 10));
    expect(one.phase).toEqual({ phase: "failed", mayBeChosen: false });
  });
});
