import type { EvidenceChecker } from "../evidence.ts";

/** Within a bound after healing no clock names more spare actors than its bucket has copies. */
export const actorsBounded: EvidenceChecker = ({ unretired }) =>
  unretired.map((detail) => ({ checker: "actors-bounded", key: "", detail }));
