import { describe, expect, it } from "vitest";
import { InvariantViolation } from "../../src/invariant.ts";
import { QuorumTally, type VoterSet } from "../../src/quorum/tally.ts";

it("decides once, by the vote that reaches the quorum", () => {
  const tally = new QuorumTally(2, 3);
  expect([tally.record(true), tally.record(true), tally.record(true)]).toEqual([
    "undecided",
    "reached",
    "undecided",
  ]);
});

it("decides once, by the vote that makes the quorum impossible", () => {
  const tally = new QuorumTally(2, 3);
  expect([tally.record(false), tally.record(false), tally.record(true)]).toEqual([
    "undecided",
    "unreachable",
    "undecided",
  ]);
});

describe("of two sets of voters", () => {
  const cases = [
    ["is reached by those who are in both", ["both yes", "both yes"], "reached"],
    ["needs as many in either", ["present yes", "present yes", "next yes", "next yes"], "reached"],
    ["is not reached by one set", ["present yes", "present yes", "next yes"], "undecided"],
    ["is lost with one set", ["present yes", "next no", "next no"], "unreachable"],
    ["is lost with the other", ["next yes", "present no", "present no"], "unreachable"],
    ["counts who is in both in both", ["both no", "next no"], "unreachable"],
  ] as const;

  it.each(cases)("%s", (_, votes, expected) => {
    const tally = new QuorumTally(2, 3, 3);
    const verdicts = votes.map((vote) => {
      const [voter, answer] = vote.split(" ");
      return tally.record(answer === "yes", voter as VoterSet);
    });
    expect(verdicts.at(-1)).toBe(expected);
    expect(new Set(verdicts.slice(0, -1))).toEqual(new Set(["undecided"]));
  });

  it("takes no vote beyond those it asked for, of either", () => {
    const tally = new QuorumTally(1, 2, 1);
    tally.record(true, "both");
    expect(() => tally.record(true, "next")).toThrow(InvariantViolation);
    expect(tally.record(true, "present")).toBe("undecided");
    expect(tally.isComplete).toBe(true);
    expect(() => new QuorumTally(2, 2, 1)).toThrow(InvariantViolation);
  });
});
