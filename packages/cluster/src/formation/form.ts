import {
  type ClusterDocument,
  type Formation,
  type FormationState,
  type Member,
  type PeerAddress,
  decodeDocument,
} from "@coterie/core";
import type { Clock, Network } from "@coterie/ports";
import type { PeerRequest, PeerResponse } from "../messages.ts";
import { oneShot } from "../one-shot.ts";
import { pause } from "../pause.ts";

/** Milliseconds between two rounds of announcements: short, a person is waiting. */
const roundMs = 25;
/** And while the others have a cluster, and this node's place in it is for them to give. */
const askingMs = 250;
/** A newcomer tells those that it was not pointed to every so many rounds: they may be many. */
const offerRounds = 4;
/** How long one announcement may take. */
const callMs = 1000;

export interface FormationParts {
  readonly clock: Clock;
  readonly network: Network<PeerRequest, PeerResponse>;
  readonly formation: Formation;
  readonly self: Member;
  /** Peer addresses that this node was pointed to, its own left out. */
  readonly others: readonly PeerAddress[];
  readonly isStopped: () => boolean;
  /** Why this node could not go by that document, whatever directory it names. */
  readonly problemWith: (document: ClusterDocument) => string | undefined;
  /** What the place that this node has lost still waits for; told when it changes. */
  readonly onRejoining: (reason: string) => void;
  /** What the offer of this node, which no cluster knows yet, waits for; told when it changes. */
  readonly onOffering: (clusterId: string, reason: string) => void;
}

export type FormationOutcome =
  | { readonly ok: true; readonly document: ClusterDocument }
  | { readonly ok: false; readonly reason: string };

/**
 * Announces this node to every bootstrap peer, round after round, until all agree on the first
 * version of the cluster document, or on a version that has this node's directory as a member's;
 * a node that their cluster does not know is announced to all of its members.
 * Safe to repeat from any point: announcements only add.
 */
export async function form(parts: FormationParts): Promise<FormationOutcome> {
  const { formation, self } = parts;
  let said = "";
  for (let round = 0; !parts.isStopped(); round += 1) {
    const outcome = formation.outcome();
    if (outcome.state === "agreed") return { ok: true, document: outcome.document };
    if (outcome.state === "conflict") return { ok: false, reason: outcome.reason };
    if (outcome.state === "member") {
      const document = await askFor(parts, outcome.at);
      const isMember = document?.members.some(
        ({ id, nonce }) => id === self.id && nonce === self.nonce,
      );
      if (document !== undefined && isMember === true) return { ok: true, document };
      // Others may know it too.
      if (document === undefined) formation.forget(outcome.at);
    }
    if (outcome.state === "rejoining" || outcome.state === "offering") {
      const problem = await consent(parts, outcome.unread);
      if (problem !== undefined) return { ok: false, reason: problem };
      const reason = outcome.missing.join("; ");
      if (reason !== said) tell(parts, outcome, reason);
      said = reason;
    }
    const isOffering = outcome.state === "offering" && round % offerRounds === 0;
    await announceTo(parts, isOffering ? formation.audience() : parts.others);
    const { state } = formation.outcome();
    if (state === "agreed" || state === "conflict" || state === "member") continue;
    await pause(parts.clock, state === "waiting" ? roundMs : askingMs);
  }
  return { ok: false, reason: "the node was stopped before the cluster had formed" };
}

function tell(
  { onRejoining, onOffering }: FormationParts,
  outcome: FormationState & { readonly state: "rejoining" | "offering" },
  reason: string,
): void {
  if (outcome.state === "rejoining") onRejoining(reason);
  else if (outcome.clusterId !== undefined) onOffering(outcome.clusterId, reason);
}

/** Reads a document in which this directory is no member; says if this node cannot go by it. */
async function consent(
  parts: FormationParts,
  at: PeerAddress | undefined,
): Promise<string | undefined> {
  const document = at === undefined ? undefined : await askFor(parts, at);
  if (at !== undefined && document === undefined) parts.formation.forget(at);
  if (document === undefined) return undefined;
  const problem = parts.problemWith(document);
  if (problem === undefined) parts.formation.consent(document);
  return problem;
}

/** The document that a peer goes by. */
function askFor(
  { clock, network }: FormationParts,
  at: PeerAddress,
): Promise<ClusterDocument | undefined> {
  const { promise, settle } = oneShot<ClusterDocument | undefined>();
  const request = { kind: "ask", clusterId: "", epoch: 0 } as const;
  network.call(at, request, clock.monotonicMs() + callMs, (reply) => {
    if (!reply.ok || reply.response.kind !== "document") return settle(undefined);
    const { document } = reply.response;
    const decoded = document === undefined ? undefined : decodeDocument(document);
    settle(decoded?.ok === true ? decoded.document : undefined);
  });
  return promise;
}

/** One round; resolves when every peer has answered or could not be reached. */
function announceTo(
  { clock, network, formation }: FormationParts,
  others: readonly PeerAddress[],
): Promise<void> {
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
