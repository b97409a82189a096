import { join } from "node:path";
import {
  CoterieNode,
  type NodeConfig,
  type NodeEvent,
  type PeerRequest,
  type PeerResponse,
} from "@coterie/cluster";
import {
  type ClusterSettings,
  InvariantViolation,
  type Levels,
  type NodeId,
  type PeerAddress,
  levelsOfBuild,
  membershipSettings,
} from "@coterie/core";
import type { Clock, Disk, KeyValueEngine, Receive } from "@coterie/ports";
import { LevelEngine, loadLevel } from "./adapters/level-engine.ts";
import { MemoryDisk } from "./adapters/memory-disk.ts";
import { makeDirectory } from "./adapters/make-directory.ts";
import { NodeDisk } from "./adapters/node-disk.ts";
import { NodeRandom } from "./adapters/node-random.ts";
import { sha256 } from "./adapters/sha256.ts";
import { PeerNetworks } from "./adapters/peer-network/peer-networks.ts";
import { defaultPeerOptions } from "./adapters/peer-network/peer-options.ts";
import { PeerServer } from "./adapters/peer-network/peer-server.ts";
import { peerTransports } from "./adapters/peer-network/peer-transports.ts";
import type { PeerTransport } from "./adapters/peer-network/transport.ts";
import { SystemClock } from "./adapters/system-clock.ts";
import { hostOf, isLoopback, portOf, withPort } from "./config/addresses.ts";
import { bucketDifferences } from "./config/bucket-differences.ts";
import { readClusterKey } from "./config/cluster-key.ts";
import { clusterSettingsOf } from "./config/cluster-settings.ts";
import type { ServerConfig } from "./config/server-config.ts";
import { buildHttpApp } from "./doors/http/app.ts";
import { type GrpcDoor, listenGrpc } from "./doors/grpc/grpc-door.ts";
import { defaultGrpcOptions } from "./doors/grpc/grpc-options.ts";
import { HttpStatistics } from "./doors/http/http-statistics.ts";
import { type HttpDoor, listenHttp } from "./doors/http/listen.ts";
import { type RespDoor, listenResp } from "./doors/resp/resp-door.ts";
import { type Log, openLog } from "./observability/log.ts";
import { NodeLog } from "./observability/node-log.ts";
import { NodeMetrics } from "./observability/node-metrics.ts";
import { peerCounts } from "./observability/peer-counts.ts";
import { RunningServer } from "./running-server.ts";

export interface StartOptions {
  /** Lines for operators; on standard error if left out. */
  readonly log?: Log;
  /** A failed write or fsync, or a defect: nothing may be acknowledged any more. */
  readonly onFatal: (reason: string) => void;
  /** Told when the node is no member any more and ends: of its own accord, or why not. */
  readonly onGone?: (removal: string | undefined) => void;
  /** Told that an operator wants the node to end by {@link RunningServer.drain}. */
  readonly onDrainAsked?: () => void;
  /** A line for whoever started the node in a terminal. */
  readonly say?: (line: string) => void;
  /** What carries the streams between nodes, in place of what the configuration names. */
  readonly peerTransport?: PeerTransport;
}

export type ServerStart =
  | { readonly ok: true; readonly server: RunningServer }
  | { readonly ok: false; readonly message: string };

/** How long a forwarded write waits before it goes to another primary. */
const forwardAttemptMs = 400;

/**
 * Opens the doors and starts a node behind them. It answers /livez at once and is ready later:
 * {@link RunningServer.started} says when, or why not.
 */
export async function startServer(
  config: ServerConfig,
  options: StartOptions,
): Promise<ServerStart> {
  const log = options.log ?? openLog(config);
  const settings = clusterSettingsOf(config);
  if (!settings.ok) return settings;
  const key = readClusterKey(config.clusterKey);
  if (!key.ok) return key;
  const made = makeDisk(config);
  if (!made.ok) return made;
  const keeping = await makeEngine(config);
  if (!keeping.ok) return keeping;
  const clock = new SystemClock();
  const receiver: { node: CoterieNode | undefined } = { node: undefined };
  const transport = options.peerTransport ?? peerTransports[config.peerTransport];
  const opened = await openDoors(config, { clock, transport }, receiveFor(receiver));
  if (!opened.ok) return opened;
  const { doors } = opened;
  const parts = {
    config,
    options,
    log,
    clock,
    transport,
    disk: made.disk,
    engine: keeping.engine,
    place: made.place,
    contextKey: key.key,
  };
  const { server, node } = assemble(parts, doors, settings.settings);
  receiver.node = node;
  const { version } = process;
  const { http, grpc, resp, peer } = server;
  const facts = { http, grpc, resp, peer, data: made.place, engine: config.engine };
  log.info({ event: "starting", ...facts, version }, "starting");
  return { ok: true, server };
}

type OpenedDoors =
  | { readonly ok: true; readonly doors: Doors }
  | { readonly ok: false; readonly message: string };

/** The HTTP door comes last: it has no answers of its own until it serves, in the same turn. */
async function openDoors(
  config: ServerConfig,
  { clock, transport }: Pick<Parts, "clock" | "transport">,
  receive: Receive<PeerRequest, PeerResponse>,
): Promise<OpenedDoors> {
  const levels = levelsOf(config);
  const options = { ...defaultPeerOptions, levels, connectionsMax: config.connections };
  const peers = new PeerServer({ clock, receive, transport, options });
  const bound = await peers.listen(hostOf(config.peer), portOf(config.peer));
  if (!bound.ok) return { ok: false, message: explainListening("peer", config.peer, bound) };
  const grpc = await listenGrpc(config.grpc, clock, {
    ...defaultGrpcOptions,
    valueBytesMax: config.valueBytes,
    connectionsMax: config.connections,
    unreadBytesMax: config.inFlightBytes,
    begunBytesMax: config.inFlightBytes,
  });
  if (!grpc.ok) {
    await peers.close();
    return { ok: false, message: explainListening("grpc", config.grpc, grpc) };
  }
  const resp = await listenResp(clock, {
    address: config.resp,
    bucket: config.respBucket,
    mayFlush: config.respFlush,
    valueBytesMax: config.valueBytes,
    connectionsMax: config.connections,
    unreadBytesMax: config.inFlightBytes,
    heldBytesMax: config.inFlightBytes,
  });
  if (!resp.ok) {
    await grpc.door.close(0);
    await peers.close();
    return { ok: false, message: explainListening("resp", config.resp, resp) };
  }
  const http = await listenHttp({ address: config.http, connectionsMax: config.connections });
  if (!http.ok) {
    await resp.door.close(0);
    await grpc.door.close(0);
    await peers.close();
    return { ok: false, message: explainListening("http", config.http, http) };
  }
  const peer = withPort(config.peer, bound.port);
  return { ok: true, doors: { http: http.door, grpc: grpc.door, resp: resp.door, peers, peer } };
}

/** Peers may call as soon as their door is open, which is before there is a node to answer. */
function receiveFor(receiver: {
  readonly node: CoterieNode | undefined;
}): Receive<PeerRequest, PeerResponse> {
  return (request, deadline, settle) => {
    if (receiver.node !== undefined) return receiver.node.receive(request, deadline, settle);
    const message = "the node is starting";
    const acks = { primaries: 0, fallbacks: 0 };
    settle({ kind: "refused", code: "not-ready", outcome: "refused", message, ...acks });
  };
}

interface Parts {
  readonly config: ServerConfig;
  readonly options: StartOptions;
  readonly log: Log;
  readonly clock: Clock;
  readonly transport: PeerTransport;
  readonly disk: Disk;
  readonly engine: KeyValueEngine | undefined;
  readonly place: string;
  readonly contextKey: Uint8Array | undefined;
}

interface Doors {
  readonly http: HttpDoor;
  readonly grpc: GrpcDoor;
  readonly resp: RespDoor;
  readonly peers: PeerServer;
  /** `host:port` of the peer door. */
  readonly peer: string;
}

/** Joins node, doors, metrics and log: all in one turn, so that no request meets a part of it. */
function assemble(
  parts: Parts,
  doors: Doors,
  settings: ClusterSettings,
): { readonly server: RunningServer; readonly node: CoterieNode } {
  const { config, options, log, clock, transport, disk, engine } = parts;
  const nodeLog = new NodeLog(log);
  const random = new NodeRandom();
  const network = new PeerNetworks({
    clock,
    random,
    transport,
    options: { ...defaultPeerOptions, levels: levelsOf(config) },
    onBroken: (peer, reason) => {
      nodeLog.brokenStream(peer, reason);
      node.doubt(peer);
    },
    onReturned: (peer) => node.returned(peer),
  });
  const node: CoterieNode = new CoterieNode(
    { clock, disk, random, network, engine, sha256 },
    {
      ...nodeSettings(config, doors),
      settings,
      contextKey: parts.contextKey,
      store: {
        segmentBytes: config.segmentBytes,
        queueBytesMax: config.queueBytes,
        reserveBytes: config.memory ? 0 : config.reserveBytes,
        durability: config.durability,
        cacheBytes: config.cacheBytes,
        onFatal: (reason) => options.onFatal(reason),
        onEvent: (event) => {
          nodeLog.storeEvent(event);
          if (event.kind === "damage") node.refillDamage();
        },
      },
      onEvent: (event) => {
        nodeLog.nodeEvent(event);
        if (event.kind === "ready") sayDifferences(config, settings, node, nodeLog);
        tellStarter(event, options);
      },
    },
  );
  const http = new HttpStatistics({
    bodyBytesMax: config.inFlightBytes,
    unreadBytesMax: config.inFlightBytes,
  });
  const metrics = new NodeMetrics(node, {
    peers: () => peerCounts(network, doors.peers),
    http,
    grpc: () => doors.grpc.statistics,
    resp: () => doors.resp.statistics,
    connections: () => ({
      http: doors.http.connections,
      grpc: doors.grpc.connections,
      resp: doors.resp.connections,
      peer: doors.peers.statistics.streams,
    }),
    data: { ...config, directory: config.memory ? undefined : parts.place },
  });
  serveDoors(parts, doors, node, { metrics, nodeLog, http });
  return {
    server: new RunningServer({ ...doors, node, network, place: parts.place, metrics, log }),
    node,
  };
}

/** What the one who started the process is to know besides the log. */
function tellStarter(event: NodeEvent, { onGone, say }: StartOptions): void {
  if (event.kind === "offering") say?.(event.reason);
  if (event.kind === "gone") onGone?.(event.how === "removed" ? event.reason : undefined);
}

function sayDifferences(
  config: ServerConfig,
  settings: ClusterSettings,
  node: CoterieNode,
  nodeLog: NodeLog,
): void {
  const document = node.document();
  if (document === undefined) return;
  for (const { bucket, reason } of bucketDifferences(config, settings, document)) {
    nodeLog.bucketDiffers(bucket, reason);
  }
}

/** Puts the node behind the doors for clients. */
function serveDoors(
  { config, options, log }: Parts,
  doors: Doors,
  node: CoterieNode,
  {
    metrics,
    nodeLog,
    http,
  }: { readonly metrics: NodeMetrics; readonly nodeLog: NodeLog; readonly http: HttpStatistics },
): void {
  const onDefect = (error: Error): void => {
    const reason = error.stack ?? error.message;
    if (error instanceof InvariantViolation) options.onFatal(reason);
    else log.error({ event: "request-failed", reason }, "a request failed unexpectedly");
  };
  doors.grpc.serve({
    node,
    observe: (call) => {
      metrics.observeCall(call);
      nodeLog.request(call);
    },
    onDefect,
  });
  doors.resp.serve({
    node,
    observe: (command) => {
      metrics.observeCommand(command);
      nodeLog.request(command);
    },
    onEvent: (event) => nodeLog.respEvent(event),
    onDefect,
  });
  const app = buildHttpApp(node, {
    valueBytesMax: config.valueBytes,
    statistics: http,
    metrics: () => metrics.render(),
    observe: (request) => {
      metrics.observe(request);
      nodeLog.request(request);
    },
    // The answer goes out first.
    onDrainAsked: () => setImmediate(() => options.onDrainAsked?.()),
    onDefect,
    allowedHosts: isLoopback(config.http) ? config.allowedHosts : "all",
  });
  doors.http.serve(app);
}

function nodeSettings(
  config: ServerConfig,
  doors: Doors,
): Omit<NodeConfig, "settings" | "contextKey" | "store" | "onEvent"> {
  return {
    member: {
      id: config.id as NodeId,
      address: doors.peer as PeerAddress,
      http: doors.http.address,
      grpc: doors.grpc.address,
      resp: doors.resp.address,
      host: config.host,
      zone: config.zone,
      weight: config.weight,
    },
    levels: levelsOf(config),
    bootstrap: config.bootstrap as readonly PeerAddress[],
    mayRejoin: config.rejoin === "auto",
    tuning: {
      forwardAttemptMs,
      hedgeAfterMs: config.hedgeMsMax,
      hedgeMsMin: config.hedgeMsMin,
      hedgePercentMax: config.hedgePercentMax,
      queueDelayMs: config.queueDelayMs,
      timeoutMsDefault: config.timeoutMs,
      keepExpiredMs: config.keepExpiredMs,
    },
    membership: membershipSettings(config.probeIntervalMs, config.suspicionMs),
    handoff: { bytesPerSecond: config.handoffBytes, keysMax: config.handoffKeys },
    antiEntropy: { intervalMs: config.antiEntropy, bytesPerSecond: config.antiEntropyBytes },
    reaping: { graceMs: config.reapAfterMs === 0 ? undefined : config.reapAfterMs },
    inFlightMax: config.inFlight,
    inFlightBytesMax: config.inFlightBytes,
    hintBytesMax: config.hintBytes,
  };
}

type MadeDisk =
  | { readonly ok: true; readonly disk: Disk; readonly place: string }
  | { readonly ok: false; readonly message: string };

function makeDisk({ memory, data }: ServerConfig): MadeDisk {
  if (memory) return { ok: true, disk: new MemoryDisk(), place: "memory" };
  try {
    makeDirectory(data);
    return { ok: true, disk: new NodeDisk(data), place: data };
  } catch (error) {
    return { ok: false, message: `the data directory ${data}: ${(error as Error).message}` };
  }
}

type MadeEngine =
  | { readonly ok: true; readonly engine: KeyValueEngine | undefined }
  | { readonly ok: false; readonly message: string };

/** The engine that the configuration names; none is there where the log is the database. */
async function makeEngine({ engine, memory, data }: ServerConfig): Promise<MadeEngine> {
  if (engine === "log") return { ok: true, engine: undefined };
  if (memory) return { ok: false, message: "engine leveldb keeps nothing in memory only" };
  const loaded = await loadLevel();
  if (!loaded.ok) return loaded;
  return { ok: true, engine: new LevelEngine(join(data, "leveldb"), loaded.level) };
}

function levelsOf({ levelMax }: ServerConfig): Levels {
  return { min: levelsOfBuild.min, max: levelMax };
}

function explainListening(
  door: "http" | "grpc" | "resp" | "peer",
  address: string,
  { message }: { readonly message: string },
): string {
  if (message.includes("EADDRINUSE")) {
    return (
      `port ${portOf(address)} of the ${door} door is in use: stop what listens there, or choose ` +
      `another with --${door} HOST:PORT (coterie dev: --base-port)`
    );
  }
  if (message.includes("EADDRNOTAVAIL"))
    return `${address} is no address of this machine (--${door})`;
  if (message.includes("EACCES")) {
    return `this user may not listen on ${address}: choose a port above 1023 with --${door}`;
  }
  return `the ${door} door cannot listen on ${address}: ${message}`;
}
