import type { NodeEvent } from "./node-event.ts";
import type { MonotonicMs } from "@coterie/ports";
import type { AgreedDocument } from "./agreement/agreed-document.ts";
import { problemWithStamp } from "./agreement/problem-with-stamp.ts";
import type { Coordination } from "./coordinator/coordination.ts";
import type {
  DataRequest,
  ForwardedDelete,
  ForwardedPut,
  PeerRequest,
  PeerResponse,
} from "./messages.ts";
import { coordinateForwarded } from "./replica/forwarded.ts";
import { type Receivers, receive } from "./replica/receive.ts";
import { refusal } from "./replica/replica.ts";

interface PeerRequestsParts {
  readonly coordination: Coordination;
  readonly agreement: AgreedDocument;
  readonly receivers: Receivers;
  /** How many writes that others passed on may be under way. */
  readonly forwardedMax: number;
  readonly isStopping: () => boolean;
  /** Called when a write that was passed on has settled. */
  readonly onSettled: () => void;
  readonly onEvent: (event: NodeEvent) => void;
}

/** A write that another node passed on, to be coordinated here. */
export function isForwarded(request: PeerRequest): request is ForwardedPut | ForwardedDelete {
  return request.kind === "put" || request.kind === "delete";
}

/**
 * What other nodes ask of this one about keys. Whoever asks goes by some version of the cluster
 * document; a request is carried out only while both agree on the owners of every key.
 */
export class PeerRequests {
  readonly #parts: PeerRequestsParts;
  #forwardedInFlight = 0;

  constructor(parts: PeerRequestsParts) {
    this.#parts = parts;
  }

  /** Writes that other nodes passed on to this one and that have not settled. */
  get inFlight(): number {
    return this.#forwardedInFlight;
  }

  receive(
    request: DataRequest,
    deadline: MonotonicMs,
    settle: (response: PeerResponse) => void,
  ): void {
    const { agreement } = this.#parts;
    if (request.stamp.epoch <= agreement.ring.epoch) {
      return this.#carryOut(request, deadline, settle);
    }
    // The sender goes by a version that this node does not know yet.
    void agreement
      .reachEpoch(request.stamp.epoch)
      .then(() => this.#carryOut(request, deadline, settle));
  }

  #carryOut(
    request: DataRequest,
    deadline: MonotonicMs,
    settle: (response: PeerResponse) => void,
  ): void {
    const { agreement, coordination, isStopping, onEvent, receivers } = this.#parts;
    const { counters, self } = coordination;
    if (isStopping()) return settle(refusal("shutting-down", `${self} is shutting down`));
    const problem = problemWithStamp(self, agreement, request.stamp, onEvent);
    if (problem !== undefined) {
      counters.staleEpochs += 1;
      return settle(problem);
    }
    if (request.kind === "merge" || request.kind === "read") counters.copiesAsked += 1;
    if (isForwarded(request)) {
      void this.#coordinate(request, deadline, settle);
    } else receive(receivers, request, settle);
  }

  async #coordinate(
    request: ForwardedPut | ForwardedDelete,
    deadline: MonotonicMs,
    settle: (response: PeerResponse) => void,
  ): Promise<void> {
    const { coordination, forwardedMax, onSettled } = this.#parts;
    if (this.#forwardedInFlight >= forwardedMax) {
      return settle(refusal("overloaded", `${coordination.self} coordinates enough for others`));
    }
    this.#forwardedInFlight += 1;
    const response = await coordinateForwarded(coordination, request, deadline);
    this.#forwardedInFlight -= 1;
    settle(response);
    onSettled();
  }
}
