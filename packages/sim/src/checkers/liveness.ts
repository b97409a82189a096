import type { EvidenceChecker } from "../evidence.ts";

/** Seconds after everything was healed every node serves, and every operation succeeds. */
export const liveness: EvidenceChecker = ({ failedProbes }) =>
  failedProbes.map((detail) => ({ checker: "liveness", key: "", detail }));
