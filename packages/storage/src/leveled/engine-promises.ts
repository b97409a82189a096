import type { EngineOutcome, EngineSettle } from "@coterie/ports";

/** One operation of an engine, for stories. */
export function engineCall<Value>(
  start: (settle: EngineSettle<Value>) => void,
): Promise<EngineOutcome<Value>> {
  return new Promise((resolve) => {
    start(resolve);
  });
}
