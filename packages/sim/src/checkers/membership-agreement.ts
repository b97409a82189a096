import type { EvidenceChecker } from "../evidence.ts";

/** Within bounds after healing nobody takes anybody for dead, and then all take all for alive. */
export const membershipAgreement: EvidenceChecker = ({ disagreements }) =>
  disagreements.map((detail) => ({ checker: "membership-agreement", key: "", detail }));
