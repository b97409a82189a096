import { performance } from "node:perf_hooks";
import type { PeerRequest, RingStamp } from "@coterie/cluster";
import type { PeerAddress } from "@coterie/core";
import type { RealCluster } from "@coterie/e2e";
import { NodeRandom, PeerNetwork, SystemClock } from "@coterie/server";
import type { LoadResult } from "./http-load.ts";
import { Latencies } from "./latencies.ts";

export interface PeerLoad {
  readonly cluster: RealCluster;
  /** `put`: coordinated, durable at w; `read`: one replica's own copy, as a coordinator asks. */
  readonly kind: "put" | "read";
  readonly inFlight: number;
  readonly seconds: number;
}

const callMs = 5000;

/**
 * The peer stream's path, without any door: a client that speaks to the nodes as another node
 * would. A put is coordinated by the node that receives it, and counts when it is durable at w.
 */
export async function runPeerLoad(load: PeerLoad): Promise<LoadResult> {
  const { cluster, inFlight, seconds } = load;
  const clock = new SystemClock();
  const network = new PeerNetwork({ clock, random: new NodeRandom() });
  const peers = cluster.endpoints.map(({ peer }) => peer as PeerAddress);
  const next = requests(load.kind, await stampOf(cluster));
  const latencies = new Latencies();
  const started = performance.now();
  const end = started + seconds * 1000;
  let failures = 0;
  let running = inFlight;
  await new Promise<void>((resolve) => {
    const issue = (lane: number): void => {
      const sent = performance.now();
      if (sent >= end) {
        running -= 1;
        if (running === 0) resolve();
        return;
      }
      const to = peers[lane % peers.length] as PeerAddress;
      network.call(to, next(), clock.monotonicMs() + callMs, (reply) => {
        latencies.add(performance.now() - sent);
        if (!reply.ok || reply.response.kind === "refused") failures += 1;
        issue(lane);
      });
    };
    for (let lane = 0; lane < inFlight; lane += 1) issue(lane);
  });
  const elapsed = (performance.now() - started) / 1000;
  network.close();
  return { operations: latencies.count, failures, seconds: elapsed, latencies };
}

async function stampOf({ doors }: RealCluster): Promise<RingStamp> {
  const response = await fetch(`http://${doors[0]}/v1/cluster`);
  const { epoch, digest } = (await response.json()) as { epoch: number; digest: string };
  return { epoch, tag: Number.parseInt(digest.slice(0, 8), 16) };
}

function requests(kind: PeerLoad["kind"], stamp: RingStamp): () => PeerRequest {
  const value = new Uint8Array(100).fill(118);
  const run = `${process.pid}-${Math.trunc(performance.now())}`;
  let turn = 0;
  const common = { stamp, bucket: "default" } as const;
  return () => {
    turn += 1;
    if (kind === "read") {
      return { ...common, kind: "read", key: Buffer.from(`fill-${(turn * 7919) % 10_000}`) };
    }
    return {
      ...common,
      kind: "put",
      key: Buffer.from(`peer-${run}-${turn}`),
      value,
      contentType: "",
      context: undefined,
      writeId: undefined,
      w: 2,
      pw: 0,
      returnBody: false,
    };
  };
}
