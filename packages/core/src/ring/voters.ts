import type { ClusterDocument, Member } from "./cluster-document.ts";

/** More make a change slower and hardly safer: four of seven must fail before none is possible. */
const votersMax = 7;

/**
 * Who votes on the next version of a document: its first seven members by id, which is all of them
 * in a cluster of up to seven nodes. More than half of them decide.
 */
export function votersOf({ members }: ClusterDocument): readonly Member[] {
  return members.slice(0, votersMax);
}
