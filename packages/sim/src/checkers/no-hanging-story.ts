import type { EvidenceChecker, Evidence } from "../evidence.ts";

const named: readonly (readonly [keyof Evidence["hanging"], string])[] = [
  ["questions", "clients' requests that a live node has not answered"],
  ["calls", "calls of live nodes that never settled"],
  ["unanswered", "requests of peers that a live node has not answered"],
];

/** A live node answers everything that it was asked, and every call that it makes settles. */
export const noHangingStory: EvidenceChecker = ({ hanging }) =>
  named
    .filter(([name]) => hanging[name] > 0)
    .map(([name, what]) => ({
      checker: "no-hanging-story",
      key: "",
      detail: `${hanging[name]} ${what}`,
    }));
