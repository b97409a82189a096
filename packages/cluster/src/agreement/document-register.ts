import {
  type AcceptReply,
  type AcceptorState,
  type AcceptorStep,
  type Ballot,
  type ClusterDocument,
  type PrepareReply,
  type Vote,
  accept,
  ballotAbove,
  compareBallots,
  prepare,
  roundMax,
} from "@coterie/core";
import type { Disk } from "@coterie/ports";
import { saveRegister } from "../formation/durable-identity.ts";
import type { TaskQueue } from "./task-queue.ts";

export interface RegisterParts {
  readonly disk: Disk;
  /** Orders what is written to the directory. */
  readonly queue: TaskQueue;
  /** Whether a version may be accepted in place of the one that was accepted last. */
  readonly mayAccept: (value: ClusterDocument, accepted: ClusterDocument) => boolean;
  /** The disk can no longer be trusted. */
  readonly onFatal: (reason: string) => void;
}

/** A ballot for one attempt, and what this node had accepted when it promised it. */
export interface Reservation {
  readonly ballot: Ballot;
  readonly accepted: Vote<ClusterDocument>;
}

/**
 * This node's vote on the next version of the cluster document. What it promises and accepts is
 * durable before anybody is told.
 */
export class DocumentRegister {
  readonly #parts: RegisterParts;
  #state: AcceptorState<ClusterDocument>;

  constructor(parts: RegisterParts, state: AcceptorState<ClusterDocument>) {
    this.#parts = parts;
    this.#state = state;
  }

  get accepted(): Vote<ClusterDocument> {
    return this.#state.accepted;
  }

  /**
   * Promises itself a ballot above `above` and all that this node knows of: nobody else has it, and
   * no other change at this node. `undefined` if the promise could not be stored.
   */
  reserve(above: Ballot, nonce: string): Promise<Reservation | undefined> {
    return this.#step((state) => {
      const { promised, accepted } = state;
      const ballot = ballotAbove(compareBallots(above, promised) > 0 ? above : promised, nonce);
      if (ballot.round > roundMax) return { state, reply: undefined };
      return { state: { promised: ballot, accepted }, reply: { ballot, accepted } };
    });
  }

  /** `undefined` if the promise could not be stored, and was not made. */
  prepare(ballot: Ballot): Promise<PrepareReply<ClusterDocument> | undefined> {
    return this.#step((state) => prepare(state, ballot));
  }

  /** `undefined` if what was to be accepted could not be stored. */
  accept(vote: Vote<ClusterDocument>): Promise<AcceptReply | undefined> {
    const { mayAccept } = this.#parts;
    return this.#step((state) => {
      if (mayAccept(vote.value, state.accepted.value)) return accept(state, vote);
      return { state, reply: { kind: "outbid", promised: state.promised } };
    });
  }

  #step<Reply>(
    take: (state: AcceptorState<ClusterDocument>) => AcceptorStep<ClusterDocument, Reply>,
  ): Promise<Reply | undefined> {
    const { disk, queue, onFatal } = this.#parts;
    return queue.run(async () => {
      const { state, reply } = take(this.#state);
      if (state === this.#state) return reply;
      const saved = await saveRegister(disk, state);
      if (saved.ok) {
        this.#state = state;
        return reply;
      }
      // What a failed write left on the disk was told to nobody: the next write replaces it.
      if (saved.code !== "disk-full") onFatal(saved.message);
      return undefined;
    });
  }
}
