import { CoterieNode, type PeerRequest, type PeerResponse } from "@coterie/cluster";
import {
  levelsOfBuild,
  type MembershipSettings,
  type NodeId,
  type PeerAddress,
  defaultBuckets,
  membershipDefaults,
} from "@coterie/core";
import type { Cancel, File, MonotonicMs, Network, Settle } from "@coterie/ports";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { NodeRandom } from "../../src/adapters/node-random.ts";
import { SystemClock } from "../../src/adapters/system-clock.ts";
import { newGrpcStatistics } from "../../src/doors/grpc/grpc-statistics.ts";
import { newRespStatistics } from "../../src/doors/resp/resp-statistics.ts";
import { HttpStatistics } from "../../src/doors/http/http-statistics.ts";
import { NodeMetrics } from "../../src/observability/node-metrics.ts";
import type { PeerCounts } from "../../src/observability/peer-readings.ts";

/** What is due within the hour, such as a scrub, is due at once. */
class HastyClock extends SystemClock {
  override at(deadline: MonotonicMs, fire: () => void): Cancel {
    const now = this.monotonicMs();
    return super.at(deadline - now > 600_000 ? now + 20 : deadline, fire);
  }
}

/** A disk that is full, rotten or slow when it is told so. */
class FillableDisk extends MemoryDisk {
  isFull = false;
  /** What is read differs from what was written, in its last byte. */
  isRotten = false;
  /** How much longer a sync takes. */
  syncDelayMs = 0;

  override write(file: File, position: number, bytes: Uint8Array, settle: Settle): void {
    if (!this.isFull) return super.write(file, position, bytes, settle);
    // What was allocated stays writable; only growth finds no space.
    super.size(file, (size) => {
      const isGrowing = size.ok && position + bytes.length > size.value;
      if (isGrowing) settle({ ok: false, error: "full", message: "full" });
      else super.write(file, position, bytes, settle);
    });
  }

  override read(file: File, position: number, length: number, settle: Settle<Uint8Array>): void {
    super.read(file, position, length, (outcome) => {
      if (!this.isRotten || !outcome.ok) return settle(outcome);
      const value = outcome.value.map((byte, at) =>
        at === outcome.value.length - 1 ? byte ^ 1 : byte,
      );
      settle({ ok: true, value });
    });
  }

  override sync(file: File, settle: Settle): void {
    if (this.syncDelayMs === 0) super.sync(file, settle);
    else setTimeout(() => super.sync(file, settle), this.syncDelayMs);
  }

  override free(settle: Settle<number>): void {
    if (this.isFull) setImmediate(() => settle({ ok: true, value: 0 }));
    else super.free(settle);
  }
}

const noPeers: PeerCounts = {
  messagesSent: 3,
  messagesReceived: 0,
  operationsSent: 0,
  operationsReceived: 0,
  bytesSent: 0,
  bytesReceived: 0,
  reconnects: 0,
  pending: 0,
  refusals: 0,
  malformed: 0,
  expired: 0,
};

const noNetwork: Network<PeerRequest, PeerResponse> = {
  call: (_to, _request, _deadline, settle) =>
    setImmediate(() => settle({ ok: false, reason: "refused" })),
  isReachable: () => false,
};

export interface MeteredNode {
  readonly node: CoterieNode;
  readonly disk: FillableDisk;
  readonly metrics: NodeMetrics;
}

export interface MeteredSettings {
  readonly member?: { readonly id: string; readonly address: string };
  readonly bootstrap?: readonly string[];
  readonly network?: Network<PeerRequest, PeerResponse>;
  readonly nMax?: number;
  readonly membership?: MembershipSettings;
  readonly hintBytesMax?: number;
  readonly handoffBytes?: number;
  readonly antiEntropyMs?: number;
  readonly reapAfterMs?: number;
}

/** A node with its metrics, whose ports a test may choose. It is not started. */
export function meteredNode(given: MeteredSettings = {}): MeteredNode {
  const { member = { id: "n1", address: "127.0.0.1:1" }, bootstrap = [], nMax = 1 } = given;
  const disk = new FillableDisk();
  const ports = {
    clock: new HastyClock(),
    disk,
    random: new NodeRandom(),
    network: given.network ?? noNetwork,
  };
  const node = new CoterieNode(ports, {
    member: {
      id: member.id as NodeId,
      address: member.address as PeerAddress,
      http: "",
      grpc: "",
      resp: "",
      host: "h",
      zone: "default",
      weight: 1,
    },
    bootstrap: bootstrap as readonly PeerAddress[],
    settings: { partitions: 8, hash: "md5", nMax, buckets: defaultBuckets(nMax) },
    mayRejoin: true,
    levels: levelsOfBuild,
    contextKey: undefined,
    store: {
      segmentBytes: 1024 * 1024,
      queueBytesMax: 8 * 1024 * 1024,
      reserveBytes: 0,
      durability: "fsync",
      cacheBytes: 0,
      onFatal: (reason) => {
        throw new Error(reason);
      },
      onEvent: () => undefined,
    },
    tuning: { hedgeAfterMs: 25, forwardAttemptMs: 400, timeoutMsDefault: 2000 },
    membership: given.membership ?? membershipDefaults,
    handoff: { bytesPerSecond: given.handoffBytes ?? 1024 * 1024, keysMax: 1000 },
    antiEntropy: { intervalMs: given.antiEntropyMs ?? 0, bytesPerSecond: 1024 * 1024 },
    reaping: { graceMs: given.reapAfterMs },
    inFlightMax: 100,
    inFlightBytesMax: 64 * 1024 * 1024,
    hintBytesMax: given.hintBytesMax ?? 64 * 1024 * 1024,
    onEvent: () => undefined,
  });
  const metrics = new NodeMetrics(node, {
    peers: () => noPeers,
    http: new HttpStatistics({ bodyBytesMax: 1, unreadBytesMax: 1 }),
    grpc: newGrpcStatistics,
    resp: newRespStatistics,
    connections: () => ({}),
    data: { directory: undefined, durability: "fsync", engine: "log" },
  });
  return { node, disk, metrics };
}
