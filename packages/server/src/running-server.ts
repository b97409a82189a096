import type { CoterieNode, NodeApi, StartOutcome } from "@coterie/cluster";
import type { PeerNetworks } from "./adapters/peer-network/peer-networks.ts";
import type { PeerServer } from "./adapters/peer-network/peer-server.ts";
import { UtilizationWatch } from "./adapters/utilization-watch.ts";
import type { GrpcDoor } from "./doors/grpc/grpc-door.ts";
import type { HttpDoor } from "./doors/http/listen.ts";
import type { RespDoor } from "./doors/resp/resp-door.ts";
import type { Log } from "./observability/log.ts";
import type { NodeMetrics } from "./observability/node-metrics.ts";

/** How long a drain waits for requests in flight, in milliseconds. */
const graceMs = 5000;
/** How often a node that is not ready says what it waits for. */
const reminderMs = 10_000;

interface RunningParts {
  readonly node: CoterieNode;
  readonly network: PeerNetworks;
  readonly http: HttpDoor;
  readonly grpc: GrpcDoor;
  readonly resp: RespDoor;
  readonly peers: PeerServer;
  readonly peer: string;
  /** The data directory. */
  readonly place: string;
  readonly metrics: NodeMetrics;
  readonly log: Log;
}

/**
 * A node with its doors open:
 *
 *     starting ──started: ok──▶ ready ──drain──▶ stopped
 *         └──started: not ok, or drain──▶ stopped
 */
export class RunningServer {
  /** Settles when the node serves, or with why it does not. */
  readonly started: Promise<StartOutcome>;
  readonly #parts: RunningParts;
  readonly #utilization: UtilizationWatch;
  #stopped: Promise<void> | undefined;

  constructor(parts: RunningParts) {
    this.#parts = parts;
    this.#utilization = new UtilizationWatch(parts.node.pressure);
    this.started = this.#start();
  }

  get node(): NodeApi {
    return this.#parts.node;
  }

  /** `host:port` of the HTTP door. */
  get http(): string {
    return this.#parts.http.address;
  }

  /** `host:port` of the gRPC door for clients. */
  get grpc(): string {
    return this.#parts.grpc.address;
  }

  /** `host:port` of the door for Redis clients. */
  get resp(): string {
    return this.#parts.resp.address;
  }

  /** `host:port` of the peer door. */
  get peer(): string {
    return this.#parts.peer;
  }

  /** Refuses what is new, finishes what is in flight, stops the node cleanly, closes the doors. */
  drain(): Promise<void> {
    this.#stopped ??= this.#drain();
    return this.#stopped;
  }

  async #start(): Promise<StartOutcome> {
    const { node, log } = this.#parts;
    const reminder = setInterval(() => {
      log.warn({ event: "not-ready", missing: node.missing() }, "not ready yet");
    }, reminderMs);
    const outcome = await node.start();
    clearInterval(reminder);
    if (outcome.ok || outcome.code !== "locked") return outcome;
    const message =
      `${this.#parts.place} is in use (${outcome.message}): stop that node, or give another ` +
      "directory with --data";
    return { ...outcome, message };
  }

  async #drain(): Promise<void> {
    const { node, network, http, grpc, resp, peers, metrics, log } = this.#parts;
    log.info({ event: "draining" }, "draining");
    // Others turn elsewhere meanwhile, and need not find out by themselves that it is gone.
    void node.drain();
    const closed = [grpc.close(graceMs), resp.close(graceMs)];
    await http.close(graceMs);
    await Promise.all(closed);
    const isClean = await within(node.stop(), graceMs);
    // The next start recovers, as after a crash: only slower.
    if (!isClean) {
      const words = "requests were still in flight; the store was not closed cleanly";
      log.warn({ event: "stopped-uncleanly" }, words);
    }
    network.close();
    await peers.close();
    metrics.stop();
    this.#utilization.stop();
    log.info({ event: "stopped" }, "stopped");
  }
}

/** True if `work` settles in time. */
function within(work: Promise<void>, ms: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(false), ms);
    work.then(() => {
      clearTimeout(timer);
      resolve(true);
    }, reject);
  });
}
