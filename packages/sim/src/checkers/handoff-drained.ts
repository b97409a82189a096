import type { EvidenceChecker } from "../evidence.ts";

/**
 * Within a bound after healing nobody owes anything to anybody; and then, before any client reads
 * and so before any read repair, all owners hold byte-equal copies of every key.
 */
export const handoffDrained: EvidenceChecker = ({ undrained }) =>
  undrained.map((detail) => ({ checker: "handoff-drained", key: "", detail }));
