import type { PeerRequest, PeerResponse, SentRecord } from "@coterie/cluster";
import type { PeerAddress } from "@coterie/core";
import type { MonotonicMs, Network, Reply } from "@coterie/ports";
import type { PeerNetwork } from "@coterie/server";

/** What one node asked of the other between two looks, and what that came to. */
export interface Traffic {
  /** Calls one after the other, each begun when the one before was answered. */
  readonly roundTrips: number;
  /** Requests and answers. */
  readonly messages: number;
  /** Both ways, as they were encoded. */
  readonly bytes: number;
  /** Of these, encoded records. */
  readonly recordBytes: number;
}

/**
 * A node's calls, counted; the network can be cut. Probes of members are no part of an exchange and
 * go their own way.
 */
export class CountedNetwork implements Network<PeerRequest, PeerResponse> {
  isCut = false;
  readonly #data: PeerNetwork;
  readonly #probes: PeerNetwork;
  #calls = 0;
  #answers = 0;
  #depth = 0;
  #recordBytes = 0;
  #bytesBefore = 0;

  constructor(data: PeerNetwork, probes: PeerNetwork) {
    this.#data = data;
    this.#probes = probes;
  }

  call(
    to: PeerAddress,
    request: PeerRequest,
    deadline: MonotonicMs,
    settle: (reply: Reply<PeerResponse>) => void,
  ): void {
    if (request.kind === "membership") return this.#probes.call(to, request, deadline, settle);
    if (this.isCut) {
      setImmediate(() => settle({ ok: false, reason: "refused" }));
      return;
    }
    const depth = this.#depth + 1;
    this.#calls += 1;
    if (request.kind === "merge-all") this.#recordBytes += bytesOf(request.records);
    this.#data.call(to, request, deadline, (reply) => {
      this.#answers += 1;
      this.#depth = Math.max(this.#depth, depth);
      if (reply.ok && reply.response.kind === "fetched") {
        this.#recordBytes += bytesOf(reply.response.records);
      }
      settle(reply);
    });
  }

  isReachable(to: PeerAddress): boolean {
    return !this.isCut && this.#data.isReachable(to);
  }

  /** Since the last call of this. */
  take(): Traffic {
    const { bytesSent, bytesReceived } = this.#data.totals();
    const traffic = {
      roundTrips: this.#depth,
      messages: this.#calls + this.#answers,
      bytes: bytesSent + bytesReceived - this.#bytesBefore,
      recordBytes: this.#recordBytes,
    };
    this.#bytesBefore = bytesSent + bytesReceived;
    this.#calls = 0;
    this.#answers = 0;
    this.#depth = 0;
    this.#recordBytes = 0;
    return traffic;
  }

  close(): void {
    this.#data.close();
    this.#probes.close();
  }
}

function bytesOf(records: readonly SentRecord[]): number {
  return records.reduce((sum, { record }) => sum + record.length, 0);
}
