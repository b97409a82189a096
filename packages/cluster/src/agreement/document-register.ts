import {
  type AcceptReply,
  type AcceptorState,
  type AcceptorStep,
  type Ballot,
  type ClusterDocument,
  type PrepareReply,
  type Vote,
  accept,
  prepare,
} from "@coterie/core";
import type { Disk } from "@coterie/ports";
import { saveRegister } from "../formation/durable-identity.ts";
import type { TaskQueue } from "./task-queue.ts";

export interface RegisterParts {
  readonly disk: Disk;
  /** Orders what is written to the directory. */
  readonly queue: TaskQueue;
  /** The disk can no longer be trusted. */
  readonly onFatal: (reason: string) => void;
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

  get promised(): Ballot {
    return this.#state.promised;
  }

  get accepted(): Vote<ClusterDocument> {
    return this.#state.accepted;
  }

  /** `undefined` if the promise could not be stored, and was not made. */
  prepare(ballot: Ballot): Promise<PrepareReply<ClusterDocument> | undefined> {
    return this.#step((state) => prepare(state, ballot));
  }

  /** `undefined` if what was to be accepted could not be stored. */
  accept(vote: Vote<ClusterDocument>): Promise<AcceptReply | undefined> {
    return this.#step((state) => accept(state, vote));
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
