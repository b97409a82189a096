import type { NodeId } from "@coterie/core";
import type { RefusedResponse } from "../messages.ts";
import type { NodeEvent } from "../node-event.ts";
import { refusal } from "../replica/replica.ts";
import type { AgreedDocument } from "./agreed-document.ts";

/** Refuses another cluster's request, or one by another table of owners. */
export function refuseStamp(
  self: NodeId,
  agreement: AgreedDocument,
  epoch: number,
  onEvent: (event: NodeEvent) => void,
): RefusedResponse {
  const own = agreement.ring.epoch;
  if (epoch !== own) {
    void agreement.reachEpoch(epoch);
    return refusal("stale-epoch", `${self} goes by epoch ${own}, not ${epoch}`);
  }
  const reason = "a node of another cluster, or with other settings, sent a request";
  onEvent({ kind: "peer-refused", reason });
  return refusal("other-cluster", reason);
}
