import type { EvidenceChecker } from "../evidence.ts";

/** No process ends by itself, or fails to start, but for an error of its disk. */
export const noUnexplainedExit: EvidenceChecker = ({ exits }) =>
  exits
    .filter((exit) => !exit.includes("injected: "))
    .map((detail) => ({ checker: "no-unexplained-exit", key: "", detail }));
