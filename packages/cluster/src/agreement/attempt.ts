import {
  type AcceptReply,
  type Ballot,
  type ClusterDocument,
  type Member,
  type NodeId,
  type PrepareReply,
  Proposal,
  decodeDocument,
  encodeDocument,
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
  readonly offer: (document: Uint8Array) => void;
}

export interface AttemptInput {
  /** Promised by this node itself, durably: so it is never used again. */
  readonly reservation: Reservation;
  readonly change: (current: ClusterDocument) => ClusterDocument;
  readonly deadline: MonotonicMs;
}

export type AttemptOutcome =
  | { readonly ok: true; readonly document: ClusterDocument }
  | {
      readonly ok: false;
      readonly mayBeChosen: boolean;
      /** Another proposal was ahead. */
      readonly outbidBy: Ballot | undefined;
      /** Some voter perhaps did not hear, or knew better: another attempt may succeed. */
      readonly isWorthRepeating: boolean;
    };

/** One attempt to have the next version of the document chosen: both rounds of votes. */
export class Attempt {
  readonly #parts: AttemptParts;
  readonly #input: AttemptInput;
  readonly #proposal: Proposal<ClusterDocument>;
  readonly #voters: readonly Member[];
  readonly #over = oneShot<AttemptOutcome>();
  #wasSent = false;
  #isWorthRepeating = false;

  constructor(parts: AttemptParts, input: AttemptInput) {
    this.#parts = parts;
    this.#input = input;
    this.#voters = votersOf(parts.document);
    this.#proposal = new Proposal({
      ballot: input.reservation.ballot,
      voters: this.#voters.map(({ id }) => id),
      change: input.change,
    });
  }

  run(): Promise<AttemptOutcome> {
    const { clusterId, epoch } = this.#parts.document;
    const { ballot, accepted } = this.#input.reservation;
    for (const voter of this.#voters) {
      if (voter.id === this.#parts.self) {
        this.#proposal.receivePromise(voter.id, { kind: "promised", accepted });
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
      this.#wasSent = true;
      this.#sendValue(phase.value);
    }
    if (phase.phase === "chosen") this.#over.settle({ ok: true, document: phase.value });
    if (phase.phase !== "failed") return;
    const { outbidBy } = this.#proposal;
    const { mayBeChosen } = phase;
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
        if (reply.response.document !== undefined) offer(reply.response.document);
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
    const accepted = { ballot: response.ballot, value: decoded.document };
    return { kind: "promised", accepted };
  }
}

function acceptanceOf(response: PeerResponse | undefined): AcceptReply | undefined {
  if (response?.kind === "outbid") return { kind: "outbid", promised: response.ballot };
  return response?.kind === "accepted" ? { kind: "accepted" } : undefined;
}
