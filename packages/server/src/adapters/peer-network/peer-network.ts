import type { PeerAddress } from "@coterie/core";
import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import type { Clock, MonotonicMs, Network, Random, Reply } from "@coterie/ports";
import { http2Transport } from "./http2/http2-transport.ts";
import { PeerLink } from "./peer-link.ts";
import { type PeerOptions, defaultPeerOptions } from "./peer-options.ts";
import { type PeerStatistics, sumPeerStatistics } from "./peer-statistics.ts";
import type { PeerTransport } from "./transport.ts";

export interface PeerNetworkInput {
  readonly clock: Clock;
  readonly random: Random;
  readonly options?: PeerOptions;
  readonly transport?: PeerTransport;
  /** For the log: a stream to a peer broke, or could not be opened. */
  readonly onBroken?: (address: PeerAddress, reason: string) => void;
  /** A peer answers again, after a stream to it was broken. */
  readonly onReturned?: (address: PeerAddress) => void;
}

/** Calls to other nodes, over one gRPC stream to each; opened by the first call. */
export class PeerNetwork implements Network<PeerRequest, PeerResponse> {
  readonly #input: PeerNetworkInput;
  readonly #links = new Map<PeerAddress, PeerLink>();
  #isClosed = false;

  constructor(input: PeerNetworkInput) {
    this.#input = input;
  }

  call(
    to: PeerAddress,
    request: PeerRequest,
    deadline: MonotonicMs,
    settle: (reply: Reply<PeerResponse>) => void,
  ): void {
    this.#linkTo(to).call(request, deadline, settle);
  }

  isReachable(to: PeerAddress): boolean {
    return this.#links.get(to)?.isReachable ?? !this.#isClosed;
  }

  /** A peer is known to answer: a broken stream to it is tried at once. */
  retryNow(address: PeerAddress): void {
    this.#links.get(address)?.retryNow();
  }

  /** By peer, of all that were ever called. */
  statistics(): ReadonlyMap<PeerAddress, PeerStatistics> {
    return new Map([...this.#links].map(([address, link]) => [address, link.statistics]));
  }

  /** Of all peers together. */
  totals(): PeerStatistics {
    return sumPeerStatistics(this.statistics().values());
  }

  /** Settles every call and closes every stream. Later calls are refused. */
  close(): void {
    this.#isClosed = true;
    for (const link of this.#links.values()) link.close();
  }

  #linkTo(address: PeerAddress): PeerLink {
    const known = this.#links.get(address);
    if (known !== undefined) return known;
    const { clock, random, options = defaultPeerOptions, onBroken = () => {} } = this.#input;
    const { transport = http2Transport, onReturned = () => {} } = this.#input;
    const parts = { address, clock, random, options, transport, onBroken, onReturned };
    const link = new PeerLink(parts);
    if (this.#isClosed) link.close();
    this.#links.set(address, link);
    return link;
  }
}
