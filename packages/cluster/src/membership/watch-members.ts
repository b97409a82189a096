import type { PeerAddress } from "@coterie/core";
import type { AgreedDocument } from "../agreement/agreed-document.ts";
import type { NodeConfig, NodePorts } from "../node-config.ts";
import { MemberWatch } from "./member-watch.ts";

/** Who hears of members that are back, and of those that do not answer. */
interface MemberNews {
  readonly onAlive: (address: PeerAddress) => void;
  readonly onSuspected: (address: PeerAddress) => void;
}

/** Begins to watch the members of the agreed document. */
export function watchMembers(
  ports: NodePorts,
  { member, membership: settings, onEvent }: NodeConfig,
  agreement: AgreedDocument,
  { onAlive, onSuspected }: MemberNews,
): MemberWatch {
  const watch = new MemberWatch({
    ...ports,
    self: member,
    settings,
    onEvent: (event) => {
      if (event.kind === "behind") void agreement.reachEpoch(event.epoch);
      if (event.kind === "alive" || event.kind === "suspected") {
        const address = agreement.ring.member(event.id)?.address;
        if (address !== undefined) (event.kind === "alive" ? onAlive : onSuspected)(address);
      }
      onEvent({ kind: "membership", event });
    },
    onStranger: (reason) => onEvent({ kind: "peer-refused", reason }),
  });
  watch.admit(agreement.ring.document);
  watch.start();
  return watch;
}
