import type { EvidenceChecker } from "../evidence.ts";

/** Within a bound after healing all forget every tombstone: nothing keeps them for ever. */
export const tombstonesForgotten: EvidenceChecker = ({ unforgotten }) =>
  unforgotten.map((detail) => ({ checker: "tombstones-forgotten", key: "", detail }));
