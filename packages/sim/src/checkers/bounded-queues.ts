import type { EvidenceChecker } from "../evidence.ts";

/** No queue of a node is ever over its limit. */
export const boundedQueues: EvidenceChecker = ({ overLimit }) =>
  overLimit.map((detail) => ({ checker: "bounded-queues", key: "", detail }));
