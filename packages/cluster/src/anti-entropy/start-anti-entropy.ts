import type { Coordination } from "../coordinator/coordination.ts";
import { clientsComeFirst } from "../handoff/demand.ts";
import type { NodeConfig } from "../node-config.ts";
import { AntiEntropy } from "./anti-entropy.ts";

/** Has a node compare its copies with others' from now on. */
export function startAntiEntropy(
  coordination: Coordination,
  { antiEntropy, inFlightMax, onEvent }: NodeConfig,
): AntiEntropy {
  const started = new AntiEntropy({
    ...coordination,
    ...antiEntropy,
    isBusy: clientsComeFirst(coordination, inFlightMax),
    onEvent: (event) => onEvent({ kind: "anti-entropy", event }),
  });
  started.begin();
  return started;
}
