import type { EvidenceChecker } from "../evidence.ts";

/** Within a bound after healing nothing moves, nobody has a copy left over, and all know that. */
export const movesSettled: EvidenceChecker = ({ unsettled }) =>
  unsettled.map((detail) => ({ checker: "moves-settled", key: "", detail }));
