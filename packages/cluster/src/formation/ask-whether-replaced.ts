import { type ClusterDocument, type Member, type NodeId, decodeDocument } from "@coterie/core";
import type { Clock, Network } from "@coterie/ports";
import type { PeerRequest, PeerResponse } from "../messages.ts";
import { oneShot } from "../one-shot.ts";

/** How long a start waits for peers that say nothing, in milliseconds. */
const askMs = 500;

/** Why a directory is of no use any more, if `later` gives its node's place to another one. */
export function replacedIn(
  later: ClusterDocument,
  known: ClusterDocument,
  { id, nonce }: Pick<Member, "id" | "nonce">,
): string | undefined {
  if (later.clusterId !== known.clusterId || later.epoch <= known.epoch) return undefined;
  if (!later.members.some((member) => member.id === id && member.nonce !== nonce)) return undefined;
  return (
    `another directory has taken the place of this one as ${id}'s, which was taken for lost: ` +
    "start the node with that one, or with an empty one"
  );
}

export interface AskingParts {
  readonly clock: Clock;
  readonly network: Network<PeerRequest, PeerResponse>;
  readonly self: NodeId;
}

/**
 * Asks the other members of a directory's document whether there is a later one that gives this
 * directory's place to another one, before anything is served from it. Resolves with the reason;
 * or with nothing when nobody says so, or nobody says anything in time.
 */
export function askWhetherReplaced(
  { clock, network, self }: AskingParts,
  known: ClusterDocument,
): Promise<string | undefined> {
  const { promise, settle } = oneShot<string | undefined>();
  const { clusterId, epoch, members } = known;
  const own = members.find(({ id }) => id === self);
  const others = members.filter(({ id }) => id !== self);
  let pending = others.length;
  if (own === undefined || pending === 0) settle(undefined);
  const deadline = clock.monotonicMs() + askMs;
  for (const { address } of others) {
    network.call(address, { kind: "ask", clusterId, epoch }, deadline, (reply) => {
      const bytes =
        reply.ok && reply.response.kind === "document" ? reply.response.document : undefined;
      const later = bytes === undefined ? undefined : decodeDocument(bytes);
      const isLater = later?.ok === true && own !== undefined;
      const replaced = isLater ? replacedIn(later.document, known, own) : undefined;
      pending -= 1;
      if (replaced !== undefined || pending === 0) settle(replaced);
    });
  }
  return promise;
}
