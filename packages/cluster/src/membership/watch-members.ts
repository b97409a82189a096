import type { NodeId } from "@coterie/core";
import type { AgreedDocument } from "../agreement/agreed-document.ts";
import type { NodeConfig, NodePorts } from "../node-config.ts";
import { MemberWatch } from "./member-watch.ts";

/** Begins to watch the members of the agreed document; `onAlive` hears of each that is back. */
export function watchMembers(
  ports: NodePorts,
  { member, membership: settings, onEvent }: NodeConfig,
  agreement: AgreedDocument,
  onAlive: (id: NodeId) => void,
): MemberWatch {
  const watch = new MemberWatch({
    ...ports,
    self: member,
    settings,
    onEvent: (event) => {
      if (event.kind === "behind") void agreement.reachEpoch(event.epoch);
      if (event.kind === "alive") onAlive(event.id);
      onEvent({ kind: "membership", event });
    },
    onStranger: (reason) => onEvent({ kind: "peer-refused", reason }),
  });
  watch.admit(agreement.ring.document);
  watch.start();
  return watch;
}
