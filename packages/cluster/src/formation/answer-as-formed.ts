import type { Member, NodeId, Ring } from "@coterie/core";
import type { Announcement, PeerResponse } from "../messages.ts";

/** Answers an announcement from within a cluster that has formed; a stranger is remarked upon. */
export function answerAsFormed(
  { document, digest, settingsDigest }: Ring,
  self: NodeId,
  announcement: Announcement,
  onStranger: (reason: string) => void,
): PeerResponse {
  const { members } = document;
  const known = members.find(({ id }) => id === announcement.member.id);
  if (known?.nonce !== announcement.member.nonce) {
    onStranger(
      `${announcement.member.id} at ${announcement.member.address} is not the member of that ` +
        "name, or its directory was emptied",
    );
  }
  return {
    kind: "announced",
    announcement: {
      member: members.find(({ id }) => id === self) as Member,
      settingsDigest,
      documentDigest: digest,
      isFormed: true,
      heard: members.map(({ id, nonce }) => ({ id, nonce })),
    },
  };
}
