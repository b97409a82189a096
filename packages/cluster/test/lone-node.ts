import {
  levelsOfBuild,
  type ClusterSettings,
  type PeerAddress,
  defaultBuckets,
  membershipDefaults,
} from "@coterie/core";
import { SimClock, SimDisk } from "@coterie/sim";
import { CoterieNode } from "../src/index.ts";
import { type SmallCluster, address, node } from "./small-cluster.ts";

/** What the cluster's own nodes go by. */
export const usualSettings: ClusterSettings = {
  partitions: 8,
  hash: "md5",
  nMax: 3,
  buckets: defaultBuckets(3),
};

/** A process of its own in the place of a node that is down, started as somebody else would. */
export function loneNode(
  { world, cluster }: SmallCluster,
  number: number,
  {
    settings = usualSettings,
    disk = new SimDisk(world, { name: `lone-${number}` }),
    /** Where it really is: what is sent to its address comes to somebody else. */
    place = address(number),
    onFatal = (): void => undefined,
  }: {
    readonly settings?: ClusterSettings;
    readonly disk?: SimDisk;
    readonly place?: PeerAddress;
    readonly onFatal?: (reason: string) => void;
  } = {},
): CoterieNode {
  const clock = new SimClock(world);
  const network = cluster.network.register(place, clock, (request, deadline, settle) =>
    lone.receive(request, deadline, settle),
  );
  const lone: CoterieNode = new CoterieNode(
    { clock, disk, network, random: world.random.fork("lone") },
    {
      member: {
        id: node(number),
        address: address(number),
        http: "",
        grpc: "",
        resp: "",
        host: node(number),
        zone: "zone",
        weight: 1,
      },
      bootstrap: [1, 2, 3].map(address),
      settings,
      mayRejoin: true,
      levels: levelsOfBuild,
      contextKey: undefined,
      store: {
        segmentBytes: 64 * 1024,
        queueBytesMax: 1024 * 1024,
        reserveBytes: 4096,
        durability: "fsync",
        cacheBytes: 0,
        onFatal,
        onEvent: () => undefined,
      },
      tuning: { hedgeAfterMs: 30, forwardAttemptMs: 300, timeoutMsDefault: 1000 },
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
  return lone;
}
