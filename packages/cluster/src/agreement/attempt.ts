import {
  type AcceptReply,
  type Ballot,
  type ClusterDocument,
  type Member,
  type NodeId,
  type PrepareReply,
  Proposal,
  type Vote,
  ballotZero,
  decodeDocument,
  encodeDocument,
  forcedApart,
  isForced,
  votersOf,
} from "@coterie/core";
import type { MonotonicMs, Network, Reply } from "@coterie/ports";
import type { PeerRequest, PeerResponse } from "../messages.ts";
import { oneShot } from "../one-shot.ts";
import type { DocumentRegister, Reservation } from "./document-register.ts";

export interface AttemptParts {
  readonly self: NodeId;
  readonly network: Network<PeerRequest, PeerResponse>;
  readonly register: DocumentRegister;
  /** The document that this node goes by. */
  readonly document: ClusterDocument;
  /** A peer goes by another document: adopts it if it is newer. */
  readonly offer: (document: Uint8Array, from: NodeId) => void;
  /**
   * Who decides, all of them, on a version that is forced; left out where a majority of the
   * document's voters does.
   */
  readonly unanimous?: readonly NodeId[] | undefined;
}

/** Makes the next version of the one that is found; perhaps the same, or none. */
export type DocumentChange = (current: ClusterDocument) => ClusterDocument | undefined;

export interface AttemptInput {
  /** Promised by this node itself, durably: so it is never used again. */
  readonly reservation: Reservation;
  readonly change: DocumentChange;
  readonly deadline: MonotonicMs;
}

export type AttemptOutcome =
  | {
      readonly ok: true;
      readonly document: ClusterDocument;
      /** That version was another proposer's, and the change was not applied to it yet. */
      readonly isOthers: boolean;
    }
  | {
      readonly ok: false;
      readonly mayBeChosen: boolean;
      /** Another proposal was ahead. */
      readonly outbidBy: Ballot | undefined;
      /** Some voter perhaps did not hear, or knew better: another attempt may succeed. */
      readonly isWorthRepeating: boolean;
    };

/**
 * One attempt to have the next version of the document chosen: both rounds of votes. Every voter
 * that counts goes by the same version as this node, so that what it may have accepted is the next
 * version or nothing. Such a version is brought to its end as it is: its voters may be others.
 */
export class Attempt {
  readonly #parts: AttemptParts;
  readonly #input: AttemptInput;
  readonly #proposal: Proposal<ClusterDocument>;
  readonly #voters: readonly Member[];
  readonly #over = oneShot<AttemptOutcome>();
  #wasSent = false;
  #isOthers = false;
  #isOvertaken = false;
  #isWorthRepeating = false;

  constructor(parts: AttemptParts, input: AttemptInput) {
    this.#parts = parts;
    this.#input = input;
    const { document, unanimous } = parts;
    this.#voters =
      unanimous === undefined
        ? votersOf(document)
        : document.members.filter(({ id }) => unanimous.includes(id));
    this.#proposal = new Proposal({
      ballot: input.reservation.ballot,
      voters: this.#voters.map(({ id }) => id),
      ...(unanimous !== undefined && { required: this.#voters.length }),
      change: (found) => {
        this.#isOthers = unanimous === undefined && found.epoch > document.epoch;
        return this.#isOthers ? found : input.change(found);
      },
    });
  }

  run(): Promise<AttemptOutcome> {
    const { clusterId, epoch } = this.#parts.document;
    const { ballot, accepted } = this.#input.reservation;
    for (const voter of this.#voters) {
      if (voter.id === this.#parts.self) {
        this.#proposal.receivePromise(voter.id, this.#promiseWith(accepted));
        continue;
      }
      this.#ask(voter, { kind: "prepare", clusterId, epoch, ballot }, (response) => {
        this.#proposal.receivePromise(voter.id, this.#promiseOf(response));
      });
    }
    this.#goOn();
    return this.#over.promise;
  }

  #sendValue(value: ClusterDocument): void {
    const { clusterId, epoch } = this.#parts.document;
    const { ballot } = this.#input.reservation;
    const document = encodeDocument(value);
    for (const voter of this.#voters) {
      if (voter.id === this.#parts.self) {
        void this.#parts.register.accept({ ballot, value }).then((reply) => {
          this.#proposal.receiveAcceptance(voter.id, reply);
          this.#goOn();
        });
        continue;
      }
      this.#ask(voter, { kind: "accept", clusterId, epoch, ballot, document }, (response) => {
        this.#proposal.receiveAcceptance(voter.id, acceptanceOf(response));
      });
    }
  }

  #goOn(): void {
    const phase = this.#proposal.phase;
    if (phase.phase === "accepting" && !this.#wasSent) {
      // There is a next version already, or the voters of this one were given up.
      if (this.#isOvertaken) return this.#fail(false);
      this.#wasSent = true;
      this.#sendValue(phase.value);
    }
    if (phase.phase === "chosen") {
      this.#over.settle({ ok: true, document: phase.value, isOthers: this.#isOthers });
    }
    if (phase.phase === "failed") this.#fail(phase.mayBeChosen);
  }

  #fail(mayBeChosen: boolean): void {
    const { outbidBy } = this.#proposal;
    const isWorthRepeating = this.#isWorthRepeating || outbidBy !== undefined;
    this.#over.settle({ ok: false, mayBeChosen, outbidBy, isWorthRepeating });
  }

  #ask(
    voter: Member,
    request: PeerRequest,
    receive: (response: PeerResponse | undefined) => void,
  ): void {
    const { network, offer } = this.#parts;
    network.call(voter.address, request, this.#input.deadline, (reply: Reply<PeerResponse>) => {
      if (reply.ok && reply.response.kind === "document") {
        this.#isWorthRepeating = true;
        this.#isOvertaken ||= reply.response.epoch > this.#parts.document.epoch;
        if (reply.response.document !== undefined) offer(reply.response.document, voter.id);
      }
      if (!reply.ok && reply.reason === "timeout") this.#isWorthRepeating = true;
      receive(reply.ok ? reply.response : undefined);
      this.#goOn();
    });
  }

  #promiseOf(response: PeerResponse | undefined): PrepareReply<ClusterDocument> | undefined {
    if (response?.kind === "outbid") return { kind: "outbid", promised: response.ballot };
    if (response?.kind !== "promised") return undefined;
    const decoded = decodeDocument(response.document);
    if (!decoded.ok || decoded.document.clusterId !== this.#parts.document.clusterId) {
      return undefined;
    }
    return this.#promiseWith({ ballot: response.ballot, value: decoded.document });
  }

  /**
   * A voter that goes by our version accepts none but that one, the next, and one that is forced.
   * With that last one it has no part any more in what the others agree on.
   */
  #promiseWith(vote: Vote<ClusterDocument>): PrepareReply<ClusterDocument> | undefined {
    const { document, unanimous } = this.#parts;
    const { value } = vote;
    const isDistant = value.epoch > document.epoch + 1;
    const isUsable =
      unanimous !== undefined && isForced(value) && forcedApart(document, value) === undefined;
    if (isDistant && !isUsable) return undefined;
    return { kind: "promised", accepted: this.#nextOf(vote) };
  }

  /** A vote on a version up to ours, whatever its ballot, says nothing of the next one. */
  #nextOf(vote: Vote<ClusterDocument>): Vote<ClusterDocument> {
    const { document } = this.#parts;
    return vote.value.epoch > document.epoch ? vote : { ballot: ballotZero, value: document };
  }
}

function acceptanceOf(response: PeerResponse | undefined): AcceptReply | undefined {
  if (response?.kind === "outbid") return { kind: "outbid", promised: response.ballot };
  return response?.kind === "accepted" ? { kind: "accepted" } : undefined;
}
