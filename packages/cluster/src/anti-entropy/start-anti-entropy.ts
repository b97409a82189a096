import type { Coordination } from "../coordinator/coordination.ts";
import { busyShare } from "../handoff/start-handoff.ts";
import type { NodeConfig } from "../node-config.ts";
import { AntiEntropy } from "./anti-entropy.ts";
import { Demand } from "./demand.ts";

/** Has a node compare its copies with others' from now on. */
export function startAntiEntropy(
  coordination: Coordination,
  { antiEntropy, inFlightMax, onEvent }: NodeConfig,
): AntiEntropy {
  const { clock, counters, pressure } = coordination;
  const demand = new Demand(clock, () => counters.copiesAsked);
  const started = new AntiEntropy({
    ...coordination,
    ...antiEntropy,
    isBusy: () => pressure.requests > inFlightMax / busyShare || demand.isHigh,
    onEvent: (event) => onEvent({ kind: "anti-entropy", event }),
  });
  started.begin();
  return started;
}
