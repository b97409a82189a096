import {
  type ClusterDocument,
  type ForcedChoice,
  type Member,
  type NodeId,
  forceVoters,
  isForced,
  votersOf,
} from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import { type ChosenDocument, type ProposerParts, changeDocument } from "./change-document.ts";

/** Who votes on the next version, and which of them answer now. */
export interface VotersNow {
  /** Of that version. */
  readonly epoch: number;
  readonly voters: readonly NodeId[];
  readonly answering: readonly NodeId[];
}

/** Asks each voter of a version whether it is there; `isThere` settles in bounded time. */
export async function votersNow(
  document: ClusterDocument,
  isThere: (member: Member) => Promise<boolean>,
): Promise<VotersNow> {
  const voters = votersOf(document);
  const asked = voters.map(async (member) => ({ id: member.id, is: await isThere(member) }));
  const answers: { readonly id: NodeId; readonly is: boolean }[] = [];
  for (const each of asked) answers.push(await each);
  return {
    epoch: document.epoch,
    voters: voters.map(({ id }) => id),
    answering: answers.filter(({ is }) => is).map(({ id }) => id),
  };
}

/**
 * Has a version chosen in which the voters that are not named have lost their votes, by all of
 * those that are named, in place of a majority. What one of them has accepted may have been chosen:
 * it is what the forced version is made from. Where they have begun just that before, it is
 * brought to its end. Nothing is forced on a version after the one of `epoch`: there is a majority.
 */
export function forceDocument(
  parts: ProposerParts,
  choice: ForcedChoice,
  epoch: number,
  deadline: MonotonicMs,
): Promise<ChosenDocument> {
  const change = (found: ClusterDocument): ClusterDocument | undefined => {
    if (parts.document().epoch !== epoch) return undefined;
    const isBegun = found.epoch > parts.document().epoch && isForced(found);
    const begun = isBegun ? found.forcings?.at(-1)?.voters : undefined;
    if (begun?.join(" ") === choice.voters.join(" ")) return found;
    return forceVoters(found, choice);
  };
  return changeDocument({ ...parts, unanimous: choice.voters }, change, deadline);
}

/** What an operator has wanted of a version that is forced. */
export function choiceOf(forced: ClusterDocument): ForcedChoice | undefined {
  const last = forced.forcings?.at(-1);
  if (last === undefined) return undefined;
  const { voters, by, atMs } = last;
  return { voters, by, atMs };
}
