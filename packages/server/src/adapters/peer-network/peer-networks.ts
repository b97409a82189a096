import type { PeerAddress } from "@coterie/core";
import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import type { MonotonicMs, Network, Reply } from "@coterie/ports";
import { PeerNetwork, type PeerNetworkInput } from "./peer-network.ts";
import { type PeerOptions, defaultPeerOptions } from "./peer-options.ts";
import { type PeerStatistics, sumPeerStatistics } from "./peer-statistics.ts";

/**
 * For what is small and must not be late. A broken stream is tried again soon: a probe that is
 * refused because of it would speak against a peer that has just returned.
 */
const controlOptions: PeerOptions = {
  ...defaultPeerOptions,
  backoffMsMin: 50,
  backoffMsMax: 500,
  operationsMax: 1024,
  bytesMax: 4 * 1024 * 1024,
  messageBytesMax: 1024 * 1024,
};

/**
 * Two connections to each peer: one for data, and one for what members say of each other, so that
 * a probe does not wait behind megabytes of records in the socket's buffer.
 */
export class PeerNetworks implements Network<PeerRequest, PeerResponse> {
  readonly #data: PeerNetwork;
  readonly #control: PeerNetwork;

  /** @param input with the options of the connections for data, if not the usual ones. */
  constructor(input: PeerNetworkInput) {
    const { levels } = input.options ?? defaultPeerOptions;
    this.#data = new PeerNetwork(input);
    this.#control = new PeerNetwork({
      ...input,
      options: { ...controlOptions, levels },
      // The control stream is tried more often: data need not wait for its own next attempt.
      onReturned: (address) => this.#data.retryNow(address),
    });
  }

  call(
    to: PeerAddress,
    request: PeerRequest,
    deadline: MonotonicMs,
    settle: (reply: Reply<PeerResponse>) => void,
  ): void {
    const network = request.kind === "membership" ? this.#control : this.#data;
    network.call(to, request, deadline, settle);
  }

  /** Whether data can be sent. */
  isReachable(to: PeerAddress): boolean {
    return this.#data.isReachable(to);
  }

  /** Of all peers and both connections together. */
  totals(): PeerStatistics {
    return sumPeerStatistics([this.#data.totals(), this.#control.totals()]);
  }

  /** Settles every call and closes every stream. Later calls are refused. */
  close(): void {
    this.#data.close();
    this.#control.close();
  }
}
