import type { NodeId, RingStamp } from "@coterie/core";
import type { RefusedResponse } from "../messages.ts";
import type { NodeEvent } from "../node-event.ts";
import { refusal } from "../replica/replica.ts";
import type { AgreedDocument } from "./agreed-document.ts";

/**
 * Why a request is not carried out: its sender goes by other owners, or is of another cluster. A
 * sender that is behind hears `stale-epoch`, and is told of the version that it lacks; where this
 * node is behind, and could not learn that version, it is as good as away. Between versions in
 * which every key has the same owners requests are carried out.
 */
export function problemWithStamp(
  self: NodeId,
  agreement: AgreedDocument,
  { epoch, tag }: RingStamp,
  onEvent: (event: NodeEvent) => void,
): RefusedResponse | undefined {
  const own = agreement.ring.stamp;
  if (epoch < own.epoch) agreement.noteBehind();
  if (tag === own.tag) return undefined;
  if (epoch < own.epoch) {
    return refusal("stale-epoch", `${self} goes by epoch ${own.epoch}, not ${epoch}`);
  }
  if (epoch > own.epoch) {
    return refusal("not-ready", `${self} has not heard of epoch ${epoch}, only of ${own.epoch}`);
  }
  const reason = "a node of another cluster, or with other settings, sent a request";
  onEvent({ kind: "peer-refused", reason });
  return refusal("other-cluster", reason);
}
