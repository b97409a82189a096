import { mkdirSync, readFileSync } from "node:fs";
import { CoterieNode, type NodeEvent } from "@coterie/cluster";
import type { NodeId, PeerAddress } from "@coterie/core";
import type { Disk } from "@coterie/ports";
import type { StoreEvent } from "@coterie/storage";
import { MemoryDisk } from "./adapters/memory-disk.ts";
import { NodeDisk } from "./adapters/node-disk.ts";
import { NodeRandom } from "./adapters/node-random.ts";
import { PeerNetwork } from "./adapters/peer-network/peer-network.ts";
import { PeerServer } from "./adapters/peer-network/peer-server.ts";
import { SystemClock } from "./adapters/system-clock.ts";
import { bytesCache } from "./bytes-cache.ts";
import { clusterSettingsOf } from "./config/cluster-settings.ts";
import { hostOf, isLoopback, portOf } from "./config/load-config.ts";
import type { ServerConfig } from "./config/server-config.ts";
import { buildHttpApp } from "./doors/http/app.ts";
import { type HttpDoor, listenHttp } from "./doors/http/listen.ts";
import type { Log } from "./observability/log.ts";
import { NodeMetrics, type PeerCounts } from "./observability/node-metrics.ts";

export interface RunningServer {
  readonly node: CoterieNode;
  /** `host:port` of the HTTP door. */
  readonly http: string;
  /** Refuses what is new, finishes what is in flight, and closes the directory cleanly. */
  drain(): Promise<void>;
}

export type ServerOutcome =
  | { readonly ok: true; readonly server: RunningServer }
  | { readonly ok: false; readonly message: string };

/** How long a read waits before it asks further replicas; a forwarded write, another primary. */
const tuning = { hedgeAfterMs: 25, forwardAttemptMs: 400 };

/** Milliseconds that requests in flight have to finish when the server drains. */
const drainMsMax = 5000;

/**
 * Starts one node: doors first, so that /livez answers and other nodes can form the cluster; then
 * the node itself. Resolves when it serves, or with why it cannot.
 *
 * @param onFatal called when the disk can no longer be trusted: the process must end at once.
 */
export async function startServer(
  config: ServerConfig,
  log: Log,
  onFatal: (reason: string) => void,
): Promise<ServerOutcome> {
  const settings = clusterSettingsOf(config);
  if (!settings.ok) return settings;
  const contextKey = readClusterKey(config.clusterKey);
  if (typeof contextKey === "string") return { ok: false, message: contextKey };
  const disk = openDisk(config);
  if (typeof disk === "string") return { ok: false, message: disk };

  const clock = new SystemClock();
  const random = new NodeRandom();
  const network = new PeerNetwork({
    clock,
    random,
    onBroken: (peer, reason) => log.warn({ peer, reason }, "the stream to a peer is broken"),
  });
  const node: CoterieNode = new CoterieNode(
    { clock, network, disk, random },
    {
      member: {
        id: config.id as NodeId,
        address: config.peer as PeerAddress,
        http: config.http,
        host: config.host,
        zone: config.zone,
        weight: config.weight,
      },
      bootstrap: config.bootstrap.map((address) => address as PeerAddress),
      settings: settings.settings,
      contextKey,
      store: {
        segmentBytes: config.segmentBytes,
        queueBytesMax: config.queueBytes,
        reserveBytes: config.memory ? 0 : config.reserveBytes,
        durability: config.durability,
        cache: bytesCache(config.cacheBytes),
        onFatal,
        onEvent: (event) => {
          logStoreEvent(log, event);
          if (event.kind === "damage") node.refillDamage();
        },
      },
      tuning: { ...tuning, timeoutMsDefault: config.timeoutMs },
      inFlightMax: config.inFlight,
      inFlightBytesMax: config.inFlightBytes,
      onEvent: (event) => logNodeEvent(log, event),
    },
  );
  const peerServer = new PeerServer({ clock, receive: node.receive.bind(node) });
  const metrics = new NodeMetrics(node, () => peerCounts(network, peerServer));
  const doors = await openDoors(config, { node, metrics, peerServer });
  if (!doors.ok) return doors;
  const close = async (): Promise<void> => {
    await within(node.stop(), drainMsMax);
    await within(doors.http.close(), drainMsMax);
    network.close();
    await peerServer.close();
    metrics.stop();
  };
  const started = await node.start();
  if (!started.ok) {
    await close();
    return { ok: false, message: explainStart(config, started.code, started.message) };
  }
  return { ok: true, server: { node, http: doors.http.address, drain: close } };
}

/** What was asked of other nodes, and what they asked of this one. */
function peerCounts(network: PeerNetwork, peerServer: PeerServer): PeerCounts {
  const asked = network.totals();
  const served = peerServer.statistics;
  return {
    messagesSent: asked.messagesSent,
    operationsSent: asked.operationsSent,
    messagesReceived: served.messages,
    operationsReceived: served.operations,
    bytesSent: asked.bytesSent + served.bytesSent,
    bytesReceived: asked.bytesReceived + served.bytesReceived,
    reconnects: asked.reconnects,
    pending: asked.pendingOperations,
    refusals: asked.refusedOverBudget + asked.refusedUnreachable,
    malformed: asked.malformed + served.malformed,
    expired: served.expired,
  };
}

function openDisk(config: ServerConfig): Disk | string {
  if (config.memory) return new MemoryDisk();
  try {
    mkdirSync(config.data, { recursive: true });
    return new NodeDisk(config.data);
  } catch (error) {
    return `the data directory ${config.data} cannot be used: ${(error as Error).message}`;
  }
}

function readClusterKey(file: string | undefined): Uint8Array | undefined | string {
  if (file === undefined) return undefined;
  try {
    const key = readFileSync(file);
    return key.length === 32 ? new Uint8Array(key) : `the cluster key ${file} must have 32 bytes`;
  } catch (error) {
    return `the cluster key ${file} cannot be read: ${(error as Error).message}`;
  }
}

interface DoorParts {
  readonly node: CoterieNode;
  readonly metrics: NodeMetrics;
  readonly peerServer: PeerServer;
}

async function openDoors(
  config: ServerConfig,
  { node, metrics, peerServer }: DoorParts,
): Promise<{ readonly ok: true; readonly http: HttpDoor } | { ok: false; message: string }> {
  const app = buildHttpApp(node, {
    valueBytesMax: config.valueBytes,
    bodyBytesMax: config.inFlightBytes,
    metrics: () => metrics.render(),
    observe: (request) => metrics.observe(request),
    isLoopback: isLoopback(config.http),
  });
  const http = await listenHttp(app, config.http, config.connections);
  if (!http.ok) {
    return { ok: false, message: explainListen("--http", config.http, http.code, http.message) };
  }
  const peer = await peerServer.listen(hostOf(config.peer), portOf(config.peer));
  if (peer.ok) return { ok: true, http: http.door };
  await http.door.close();
  return { ok: false, message: explainListen("--peer", config.peer, "EADDRINUSE", peer.message) };
}

function explainListen(flag: string, address: string, code: string, message: string): string {
  if (code !== "EADDRINUSE") return `cannot listen at ${flag} ${address}: ${message}`;
  return (
    `port ${portOf(address)} is in use (${flag} ${address}): another node may be running there; ` +
    `give another address with ${flag}, or start coterie dev with another --base-port`
  );
}

function explainStart(config: ServerConfig, code: string, message: string): string {
  if (code === "locked") {
    const { data } = config;
    return `the data directory ${data} is in use: ${message}; stop that node, or give --data`;
  }
  return code === "not-formed" ? `the cluster did not form: ${message}` : message;
}

/** Resolves with `work`, or when its time is up. */
async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, timeUp]);
  clearTimeout(timer);
}

function logStoreEvent(log: Log, event: StoreEvent): void {
  switch (event.kind) {
    case "damage":
      log.error(event, "a record is damaged; it is refilled from the other replicas");
      break;
    case "disk-full":
      log.error(event, "the disk is full: puts are refused until there is space again");
      break;
    case "disk-space-back":
      log.info(event, "the disk has space again");
      break;
    case "new-actor":
      log.warn(event, "a new actor mints this node's dots from now on");
      break;
    case "compacted":
      log.debug(event, "segments compacted");
  }
}

function logNodeEvent(log: Log, event: NodeEvent): void {
  switch (event.kind) {
    case "store-opened":
      log.info(event.report, "store opened");
      break;
    case "formed":
      log.info(event, "the cluster has formed");
      break;
    case "ready":
      log.info("ready");
      break;
    case "peer-refused":
      log.warn(event, "a peer was refused");
      break;
    case "refilled":
      log.info("what was damaged is refilled");
  }
}
