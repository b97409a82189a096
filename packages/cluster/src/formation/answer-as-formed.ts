import type { Member, NodeId, Ring } from "@coterie/core";
import type { PeerResponse } from "../messages.ts";

/**
 * Answers an announcement from within a cluster that has formed. `remark` tells the sender why it
 * has not got the place that it asks for; empty if it has, or if there is nothing more to say.
 */
export function answerAsFormed(
  { document, digest, settingsDigest }: Ring,
  self: NodeId,
  remark: string,
): PeerResponse {
  const { members } = document;
  return {
    kind: "announced",
    announcement: {
      member: members.find(({ id }) => id === self) as Member,
      settingsDigest,
      documentDigest: digest,
      isFormed: true,
      heard: members.map(({ id, nonce }) => ({ id, nonce })),
      remark,
    },
  };
}
