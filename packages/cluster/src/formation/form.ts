import {
  type ClusterDocument,
  type Formation,
  type Member,
  type PeerAddress,
  decodeDocument,
} from "@coterie/core";
import type { Clock, Network } from "@coterie/ports";
import type { PeerRequest, PeerResponse } from "../messages.ts";
import { oneShot } from "../one-shot.ts";

/** Milliseconds between two rounds of announcements: short, a person is waiting. */
const roundMs = 25;
/** How long one announcement may take. */
const callMs = 1000;

export interface FormationParts {
  readonly clock: Clock;
  readonly network: Network<PeerRequest, PeerResponse>;
  readonly formation: Formation;
  readonly self: Member;
  /** Peer addresses to reach, this node's own left out. */
  readonly others: readonly PeerAddress[];
  readonly isStopped: () => boolean;
}

export type FormationOutcome =
  | { readonly ok: true; readonly document: ClusterDocument }
  | { readonly ok: false; readonly reason: string };

/**
 * Announces this node to every bootstrap peer, round after round, until all agree on the first
 * version of the cluster document. Safe to repeat from any point: announcements only add.
 */
export async function form(parts: FormationParts): Promise<FormationOutcome> {
  const { clock, formation } = parts;
  while (!parts.isStopped()) {
    const outcome = formation.outcome();
    if (outcome.state === "agreed") return { ok: true, document: outcome.document };
    if (outcome.state === "conflict") return { ok: false, reason: outcome.reason };
    if (outcome.state === "member") {
      const document = await askFor(parts, outcome.at);
      if (document !== undefined) return { ok: true, document };
    }
    await announceToAll(parts);
    const { state } = formation.outcome();
    if (state === "agreed" || state === "conflict") continue;
    const { promise, settle } = oneShot<void>();
    clock.at(clock.monotonicMs() + roundMs, settle);
    await promise;
  }
  return { ok: false, reason: "the node was stopped before the cluster had formed" };
}

/** The document of a cluster that formed with this directory while this node was down. */
function askFor(
  { clock, network, self }: FormationParts,
  at: PeerAddress,
): Promise<ClusterDocument | undefined> {
  const { promise, settle } = oneShot<ClusterDocument | undefined>();
  const request = { kind: "ask", clusterId: "", epoch: 0 } as const;
  network.call(at, request, clock.monotonicMs() + callMs, (reply) => {
    if (!reply.ok || reply.response.kind !== "document") return settle(undefined);
    const { document } = reply.response;
    const decoded = document === undefined ? undefined : decodeDocument(document);
    if (decoded?.ok !== true) return settle(undefined);
    const { members } = decoded.document;
    const isMember = members.some(({ id, nonce }) => id === self.id && nonce === self.nonce);
    settle(isMember ? decoded.document : undefined);
  });
  return promise;
}

/** One round; resolves when every peer has answered or could not be reached. */
function announceToAll({ clock, network, formation, others }: FormationParts): Promise<void> {
  const { promise, settle } = oneShot<void>();
  let pending = others.length;
  if (pending === 0) settle();
  const deadline = clock.monotonicMs() + callMs;
  for (const address of others) {
    const request = { kind: "announce", announcement: formation.announcement() } as const;
    network.call(address, request, deadline, (reply) => {
      if (reply.ok && reply.response.kind === "announced") {
        formation.receive(reply.response.announcement);
      }
      pending -= 1;
      if (pending === 0) settle();
    });
  }
  return promise;
}
