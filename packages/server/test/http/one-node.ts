import { CoterieNode } from "@coterie/cluster";
import {
  levelsOfBuild,
  type NodeId,
  type PeerAddress,
  defaultBuckets,
  membershipDefaults,
} from "@coterie/core";
import type { Hono } from "hono";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { NodeRandom } from "../../src/adapters/node-random.ts";
import { SystemClock } from "../../src/adapters/system-clock.ts";
import { buildHttpApp } from "../../src/doors/http/app.ts";
import { HttpStatistics } from "../../src/doors/http/http-statistics.ts";

export const valueBytesMax = 4096;

/** A cluster of one node over a memory disk, and its HTTP door without a socket. */
export async function oneNode(
  options: {
    readonly bodyBytesMax?: number;
    readonly unreadBytesMax?: number;
    readonly linePatienceMs?: number;
  } = {},
): Promise<{ node: CoterieNode; app: Hono }> {
  const address = "127.0.0.1:1" as PeerAddress;
  const node = new CoterieNode(
    {
      clock: new SystemClock(),
      disk: new MemoryDisk(),
      random: new NodeRandom(),
      network: {
        call: (_to, _request, _deadline, settle) =>
          setImmediate(() => settle({ ok: false, reason: "refused" })),
        isReachable: () => false,
      },
    },
    {
      member: {
        id: "n1" as NodeId,
        address,
        http: "",
        grpc: "",
        resp: "",
        host: "h",
        zone: "z",
        weight: 1,
      },
      bootstrap: [],
      settings: { partitions: 8, hash: "md5", nMax: 1, buckets: defaultBuckets(1) },
      mayRejoin: true,
      levels: levelsOfBuild,
      contextKey: undefined,
      store: {
        segmentBytes: 1024 * 1024,
        queueBytesMax: 1024 * 1024,
        reserveBytes: 0,
        durability: "fsync",
        cacheBytes: 1024 * 1024,
        onFatal: (reason) => {
          throw new Error(reason);
        },
        onEvent: () => undefined,
      },
      tuning: { hedgeAfterMs: 25, forwardAttemptMs: 400, timeoutMsDefault: 2000 },
      membership: membershipDefaults,
      handoff: { bytesPerSecond: 1024 * 1024, keysMax: 1000 },
      antiEntropy: { intervalMs: 0, bytesPerSecond: 1024 * 1024 },
      reaping: { graceMs: undefined },
      inFlightMax: 100,
      inFlightBytesMax: 1024 * 1024,
      hintBytesMax: 1024 * 1024,
      onEvent: () => undefined,
    },
  );
  const started = await node.start();
  if (!started.ok) throw new Error(started.message);
  const app = buildHttpApp(node, {
    valueBytesMax,
    statistics: new HttpStatistics({
      bodyBytesMax: options.bodyBytesMax ?? 1024 * 1024,
      unreadBytesMax: options.unreadBytesMax ?? 1024 * 1024,
    }),
    ...(options.linePatienceMs !== undefined && { linePatienceMs: options.linePatienceMs }),
    metrics: () => Promise.resolve({ contentType: "text/plain", text: "" }),
    observe: () => undefined,
    onDrainAsked: () => undefined,
    onDefect: (error) => {
      throw error;
    },
    allowedHosts: [],
  });
  return { node, app };
}
