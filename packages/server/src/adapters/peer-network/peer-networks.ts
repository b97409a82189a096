import type { PeerAddress } from "@coterie/core";
import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import type { MonotonicMs, Network, Reply } from "@coterie/ports";
import {
  type Lane,
  type RecordsRequest,
  asksForRecords,
  isTooLargeHere,
  kept,
  laneOfRequest,
  nextLane,
  optionsOfLanes,
} from "./peer-lanes.ts";
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
 * Connections to each peer, each opened when it is first used: one for what members say of each
 * other, so that a probe does not wait behind records in a socket's buffer; and lanes for data, by
 * size, so that what is small does not wait behind what is large.
 */
export class PeerNetworks implements Network<PeerRequest, PeerResponse> {
  readonly #lanes: Readonly<Record<Lane, PeerNetwork>>;
  readonly #control: PeerNetwork;

  /** @param input with the options of the connections for data, if not the usual ones. */
  constructor(input: PeerNetworkInput) {
    const { options = defaultPeerOptions } = input;
    const of = optionsOfLanes(options);
    const onReturned = (): void => {};
    const large = new PeerNetwork({ ...input, options: of.large, onReturned });
    const huge = new PeerNetwork({ ...input, options: of.huge, onReturned });
    const small = new PeerNetwork({
      ...input,
      options: of.small,
      onReturned: (address) => {
        large.retryNow(address);
        huge.retryNow(address);
        input.onReturned?.(address);
      },
    });
    this.#lanes = { small, large, huge };
    this.#control = new PeerNetwork({
      ...input,
      options: { ...controlOptions, levels: options.levels },
      // The control stream is tried more often: data need not wait for its own next attempt.
      onReturned: (address) => {
        for (const lane of this.#all) lane.retryNow(address);
      },
    });
  }

  call(
    to: PeerAddress,
    request: PeerRequest,
    deadline: MonotonicMs,
    settle: (reply: Reply<PeerResponse>) => void,
  ): void {
    if (request.kind === "membership") {
      this.#control.call(to, request, deadline, settle);
      return;
    }
    const lane = laneOfRequest(request);
    if (asksForRecords(request)) this.#read(lane, { to, request, deadline, settle });
    else this.#lanes[lane].call(to, request, deadline, settle);
  }

  /** Whether data can be sent. */
  isReachable(to: PeerAddress): boolean {
    return this.#lanes.small.isReachable(to);
  }

  /** Of all peers and connections together. */
  totals(): PeerStatistics {
    return sumPeerStatistics([this.#control, ...this.#all].map((network) => network.totals()));
  }

  /** Settles every call and closes every stream. Later calls are refused. */
  close(): void {
    for (const lane of this.#all) lane.close();
    this.#control.close();
  }

  get #all(): readonly PeerNetwork[] {
    return [this.#lanes.small, this.#lanes.large, this.#lanes.huge];
  }

  /** Asks on this lane, and on the next one if that turns out to be what the answer needs. */
  #read(lane: Lane, call: RecordsCall): void {
    const { to, request, deadline, settle } = call;
    const next = nextLane(lane);
    if (next === undefined) return this.#lanes[lane].call(to, request, deadline, settle);
    const again = kept(request);
    this.#lanes[lane].call(to, request, deadline, (reply) => {
      if (!reply.ok || !isTooLargeHere(reply.response)) return settle(reply);
      this.#read(next, { to, request: again, deadline, settle });
    });
  }
}

/** A call of which the answer may be too large for its lane. */
interface RecordsCall {
  readonly to: PeerAddress;
  readonly request: RecordsRequest;
  readonly deadline: MonotonicMs;
  readonly settle: (reply: Reply<PeerResponse>) => void;
}
