import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { ballotZero, compareBallots, decodeRegister, encodeRegister } from "../../src/index.ts";
import { documentOf, membersOf, settingsOf } from "../ring/members.ts";

const value = documentOf(settingsOf(4, 1), membersOf(1));
const ballot = { round: 7, proposer: "0123456789abcdef".repeat(2) };

/** What a voter remembers comes from its disk. */
export const seeds: readonly Uint8Array[] = [
  encodeRegister({ promised: ballotZero, accepted: { ballot: ballotZero, value } }),
  encodeRegister({ promised: ballot, accepted: { ballot, value } }),
];

export const tokens: readonly string[] = ['"', ":", ",", "[", "]", "{", "}", "null"];

export function run(input: Uint8Array): void {
  const decoded = decodeRegister(input);
  if (!decoded.ok) {
    equal(decoded.reason.length > 0, true);
    return;
  }
  const { promised, accepted } = decoded.state;
  ok(compareBallots(accepted.ballot, promised) <= 0);
  deepStrictEqual(encodeRegister(decoded.state), input);
}
