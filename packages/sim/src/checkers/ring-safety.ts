import type { EvidenceChecker } from "../evidence.ts";

/** There is one document per epoch, and owners change by the steps of a move only. */
export const ringSafety: EvidenceChecker = ({ versions }) =>
  versions.map((detail) => ({ checker: "ring-safety", key: "", detail }));
