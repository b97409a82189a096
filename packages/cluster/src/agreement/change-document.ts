import { type Ballot, type ClusterDocument, type NodeId, ballotZero } from "@coterie/core";
import type { Clock, MonotonicMs, Network, Random } from "@coterie/ports";
import type { PeerRequest, PeerResponse } from "../messages.ts";
import { Attempt, type DocumentChange } from "./attempt.ts";
import type { DocumentRegister } from "./document-register.ts";
import { pause } from "../pause.ts";

/** How long one attempt waits for voters, in milliseconds. */
const attemptMs = 1000;
/** The pause after an attempt that failed: random below this, doubled each time. */
const pauseMsMin = 20;
const pauseMsMax = 640;
/** Attempts in a row that met no majority and no other proposer, after which it is not there. */
const lonelyMax = 2;

export interface ProposerParts {
  readonly self: NodeId;
  /** Of this node's directory: tells its ballots from all others. */
  readonly nonce: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network<PeerRequest, PeerResponse>;
  readonly register: DocumentRegister;
  readonly document: () => ClusterDocument;
  readonly offer: (document: Uint8Array, from: NodeId) => void;
  /** See {@link Attempt}. */
  readonly unanimous?: readonly NodeId[] | undefined;
  /** This node has accepted a version that is forced, and that may be chosen. */
  readonly isBound: () => boolean;
  /** Goes by a version that was chosen; false if it cannot be stored. */
  readonly adopt: (document: ClusterDocument) => Promise<boolean>;
  readonly isStopped: () => boolean;
}

export type ChosenDocument =
  | { readonly ok: true; readonly document: ClusterDocument }
  | {
      readonly ok: false;
      readonly code: "no-majority" | "disk-full" | "shutting-down";
      readonly outcome: "refused" | "unknown";
      readonly message: string;
    };

/**
 * Has the next version of the document chosen by a majority of the voters, trying again while
 * others are ahead: what they have begun is brought to its end first. `change` is applied to
 * whatever version is the latest each time; if it changes nothing, that version is known to be
 * chosen when this settles.
 */
export async function changeDocument(
  parts: ProposerParts,
  change: DocumentChange,
  deadline: MonotonicMs,
): Promise<ChosenDocument> {
  const { clock, random, register } = parts;
  let mayBeChosen = false;
  let lonely = 0;
  let above: Ballot = ballotZero;
  const failed = (code: (ChosenDocument & { ok: false })["code"], message: string) =>
    ({ ok: false, code, message, outcome: mayBeChosen ? "unknown" : "refused" }) as const;
  for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
    if (parts.isStopped()) return failed("shutting-down", `${parts.self} is shutting down`);
    if (clock.monotonicMs() >= deadline) {
      return failed("no-majority", "too few of the voters answered, or others were always ahead");
    }
    if (parts.unanimous === undefined && parts.isBound()) {
      return failed("no-majority", "voters were forced here, and not all of them have agreed yet");
    }
    // Durable here before anybody hears of it: a ballot is never used twice, not even by a node
    // that restarts, nor by one that does not vote.
    const reservation = await register.reserve(above, parts.nonce);
    if (reservation === undefined) return failed("disk-full", "this node could not store a ballot");
    const attempt = new Attempt(
      { ...parts, document: parts.document() },
      { reservation, change, deadline: Math.min(deadline, clock.monotonicMs() + attemptMs) },
    );
    const outcome = await attempt.run();
    if (outcome.ok) {
      if (!outcome.isOthers) return outcome;
      lonely = 0;
      if (await parts.adopt(outcome.document)) continue;
      return failed("disk-full", "this node could not store a version that others had begun");
    }
    mayBeChosen ||= outcome.mayBeChosen;
    if (outcome.outbidBy !== undefined) above = outcome.outbidBy;
    lonely = outcome.isWorthRepeating ? 0 : lonely + 1;
    if (lonely >= lonelyMax) {
      return failed("no-majority", "too few of the voters can be reached to change the cluster");
    }
    await pause(clock, 1 + random.below(pauseMs));
  }
}
