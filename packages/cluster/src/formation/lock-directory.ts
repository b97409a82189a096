import type { Disk } from "@coterie/ports";
import type { StartOutcome } from "../node-config.ts";
import { oneShot } from "../one-shot.ts";

/** Takes the directory for this process, or says who has it. */
export function lockDirectory(disk: Disk): Promise<StartOutcome> {
  const { promise, settle } = oneShot<StartOutcome>();
  disk.lock((outcome) => {
    if (outcome.ok) settle({ ok: true });
    else if (outcome.error === "locked") {
      settle({ ok: false, code: "locked", message: outcome.message });
    } else settle({ ok: false, code: "io", message: outcome.message });
  });
  return promise;
}
