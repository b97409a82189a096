import {
  type ClusterDocument,
  type Member,
  type NodeId,
  decodeDocument,
  forcedApart,
} from "@coterie/core";
import type { Clock, Network } from "@coterie/ports";
import type { PeerRequest, PeerResponse } from "../messages.ts";
import { oneShot } from "../one-shot.ts";

/** How long a start waits for peers that say nothing, in milliseconds. */
const askMs = 500;

/** Why a directory is of no use any more. */
export interface Ousting {
  readonly how: "replaced" | "left" | "removed" | "given-up";
  readonly reason: string;
}

/**
 * Why a directory is of no use any more, if `later` gives its node's place to another one, has no
 * place for it, or was forced without what it goes by.
 */
export function oustedIn(
  later: ClusterDocument,
  known: ClusterDocument,
  { id, nonce }: Pick<Member, "id" | "nonce">,
): Ousting | undefined {
  const { clusterId, epoch } = later;
  if (clusterId !== known.clusterId || epoch <= known.epoch) return undefined;
  const place = later.members.find((member) => member.id === id);
  if (place === undefined || place.departure === "removed") {
    const before = known.members.find((member) => member.id === id);
    const how = place === undefined && before?.departure === "leaving" ? "left" : "removed";
    const reason =
      `${id} is no member of its cluster any more since version ${epoch} of the cluster's ` +
      `document: it ${how === "left" ? "has left" : "was removed"}. Its directory is of no use; ` +
      "started with an empty one, it offers itself anew";
    return { how, reason };
  }
  if (place.nonce === nonce) return givenUpIn(later, known);
  const reason =
    `another directory has taken the place of this one as ${id}'s, which was taken for lost: ` +
    "start the node with that one, or with an empty one";
  return { how: "replaced", reason };
}

/**
 * It must not go on by `later` as if it followed: of partitions that others own there it would
 * throw away what perhaps nobody else has.
 */
function givenUpIn(later: ClusterDocument, known: ClusterDocument): Ousting | undefined {
  const forcing = forcedApart(known, later);
  if (forcing === undefined) return undefined;
  const { by, voters, lost, base, epoch } = forcing;
  const reason =
    `this directory goes by version ${known.epoch} of the cluster's document, which ` +
    `${lost.join(", ")} could still agree on; meanwhile ${by} had ${voters.join(", ")} go on ` +
    `from version ${base} without them, with version ${epoch}. What is in it is kept: ` +
    "start the node with an empty one, and carry over what only this one has with coterie " +
    "export, from a start where it cannot reach the others";
  return { how: "given-up", reason };
}

export interface AskingParts {
  readonly clock: Clock;
  readonly network: Network<PeerRequest, PeerResponse>;
  readonly self: NodeId;
}

/**
 * Asks the other members of a directory's document whether there is a later one that has no place
 * for it, before anything is served from it. Resolves with the reason;
 * or with nothing when nobody says so, or nobody says anything in time.
 */
export function askWhetherOusted(
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
      const ousting = isLater ? oustedIn(later.document, known, own) : undefined;
      pending -= 1;
      if (ousting !== undefined || pending === 0) settle(ousting?.reason);
    });
  }
  return promise;
}
