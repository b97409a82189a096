import type { Member, NodeId, Ring } from "@coterie/core";
import type { Announcement, PeerResponse } from "../messages.ts";

export interface AnswerParts {
  /** Why the sender has not got its place; empty if it has. */
  readonly remark: string;
  readonly onStranger: (reason: string) => void;
}

/** Answers an announcement from within a cluster that has formed; `remark` is for the sender. */
export function answerAsFormed(
  { document, digest, settingsDigest }: Ring,
  self: NodeId,
  announcement: Announcement,
  { remark, onStranger }: AnswerParts,
): PeerResponse {
  const { members } = document;
  if (!members.some(({ id }) => id === announcement.member.id)) {
    onStranger(`${announcement.member.id} at ${announcement.member.address} is no member`);
  }
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
