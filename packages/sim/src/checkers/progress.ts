import type { EvidenceChecker } from "../evidence.ts";

/**
 * Whatever else is wrong: while a quorum of a key's replicas is well, and they and the node that is
 * asked reach each other, and have for a second, operations on it succeed within their deadlines.
 */
export const progress: EvidenceChecker = ({ stalled }) =>
  stalled.map((detail) => ({ checker: "progress", key: "", detail }));
