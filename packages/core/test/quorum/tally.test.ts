import { expect, it } from "vitest";
import { QuorumTally } from "../../src/quorum/tally.ts";

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
