import {
  CoterieNode,
  type CoordinationTuning,
  type AntiEntropySettings,
  type HandoffSettings,
  type ReapingSettings,
  type NodeEvent,
  type PeerRequest,
  type PeerResponse,
  type StartOutcome,
} from "@coterie/cluster";
import {
  type Levels,
  levelsOfBuild,
  type BucketSettings,
  type ClusterSettings,
  type KeyHash,
  type Member,
  type NodeId,
  type PeerAddress,
  defaultBuckets,
  invariant,
  membershipSettings,
  utf8,
} from "@coterie/core";
import type { Disk } from "@coterie/ports";
import { SimClock } from "./clock.ts";
import { type DiskImage, SimDisk } from "./disk.ts";
import { ProcessGate } from "./gate.ts";
import type { Memory } from "./memory.ts";
import { SimNetwork } from "./network.ts";
import { RingVersions } from "./ring-versions.ts";
import type { World } from "./world.ts";

export interface SimClusterOptions {
  readonly nodes: number;
  readonly partitions?: number;
  readonly hash?: KeyHash;
  readonly buckets?: readonly BucketSettings[];
  /** Wraps every node's disk: for planted bugs. */
  readonly wrapDisk?: (disk: SimDisk) => Disk;
  /** Changes requests on their way: for planted bugs. */
  readonly corrupt?: (request: PeerRequest) => PeerRequest;
  readonly tuning?: Partial<CoordinationTuning>;
  /** Whether members that lost their directories get their places back; left out: they do. */
  readonly mayRejoin?: boolean;
  /** What a node speaks that starts now; what the build does, if left out. */
  readonly levels?: (id: NodeId) => Levels;
  readonly handoff?: HandoffSettings;
  /** Off if left out. */
  readonly antiEntropy?: AntiEntropySettings;
  /** Left out, tombstones stay. */
  readonly reaping?: ReapingSettings;
  /** Bytes of one log segment, and of the cache of records. */
  readonly segmentBytes?: number;
  readonly cacheBytes?: number;
  /** How far a process's clock may run too fast or too slow: microseconds in a second. */
  readonly driftPerMillionMax?: number;
  /** Told when a process has ended, crashed or not. */
  readonly onDown?: (id: NodeId) => void;
  /** Told when a node tells another one to forget what all have confirmed. */
  readonly onReap?: () => void;
  /** Told what no node may do: throw. */
  readonly onError?: (error: unknown) => void;
}

/** One place for a process: its disk survives, the process may not. */
interface Place {
  readonly id: NodeId;
  readonly address: PeerAddress;
  disk: SimDisk;
  clock: SimClock | undefined;
  node: CoterieNode | undefined;
  gate: ProcessGate | undefined;
  /** The wall clock belongs to the machine: its jumps outlive the process. */
  wallOffsetMs: number;
  starts: number;
  /** The node is none of the cluster's any more. */
  isRetired: boolean;
  /** What the store of the process last said of its space. */
  isDiskFull: boolean;
  /** Told when the process crashes: what it was asked will never be answered. */
  readonly onCrash: Set<() => void>;
}

const usualTuning: CoordinationTuning = {
  hedgeAfterMs: 30,
  forwardAttemptMs: 300,
  timeoutMsDefault: 1000,
};

/** Slower than usual: what matters here is in which order things happen. */
const probeIntervalMs = 1000;
const suspicionMs = 4000;
/** Few keys: now and then there are more, and lists are compared. */
const usualHandoff: HandoffSettings = { bytesPerSecond: 8 * 1024 * 1024, keysMax: 100 };
const noAntiEntropy: AntiEntropySettings = { intervalMs: 0, bytesPerSecond: 8 * 1024 * 1024 };
/** Small enough that segments rotate and records are read from the disk. */
const segmentBytes = 64 * 1024;
/** Room for some thirty records: most reads of a simulation go to the disk. */
const cacheBytes = 4096;
const queueBytesMax = 4 * 1024 * 1024;
const inFlightMax = 1000;
const inFlightBytesMax = 64 * 1024 * 1024;
const hintBytesMax = 16 * 1024 * 1024;
/** How long a node that is no member any more has to end. */
const goneMs = 1000;
/** Over what contexts are authenticated; checkers read contexts with it. */
export const contextKey: Uint8Array = utf8("the key of simulated contexts...");

/**
 * A whole cluster in one process: the production node, store and coordinator over simulated ports.
 * A crash cuts a node's ports; a restart builds a new node from its disk alone.
 */
export class SimCluster {
  readonly world: World;
  readonly network: SimNetwork<PeerRequest, PeerResponse>;
  readonly events: { readonly node: NodeId; readonly event: NodeEvent }[] = [];
  /** Processes that ended themselves, since their disks could not be trusted any more. */
  readonly fatal: { readonly node: NodeId; readonly reason: string }[] = [];
  readonly versions: RingVersions = new RingVersions();
  /** When the first clock was cut. */
  cutSinceMs: number = Infinity;
  readonly #options: SimClusterOptions;
  readonly #settings: ClusterSettings;
  readonly #places: Place[];
  /** Of those that are not retired; made anew when it is next asked for. */
  #ids: readonly NodeId[] | undefined;

  constructor(world: World, options: SimClusterOptions) {
    this.world = world;
    this.#options = options;
    const { memory } = world;
    this.network = new SimNetwork<PeerRequest, PeerResponse>(world, {
      copyRequest: (request) => {
        if (request.kind === "reap") options.onReap?.();
        return options.corrupt?.(copy(memory, request)) ?? copy(memory, request);
      },
      copyResponse: (response) => copy(memory, response),
      // Of the two answers to one write the first might say that nothing was done.
      mayArriveTwice: ({ kind }) => kind !== "put" && kind !== "delete",
    });
    const nMax = Math.min(3, options.nodes);
    this.#settings = {
      partitions: options.partitions ?? 8,
      hash: options.hash ?? "md5",
      nMax: Math.max(nMax, ...(options.buckets ?? []).map(({ n }) => n)),
      buckets: options.buckets ?? defaultBuckets(nMax),
    };
    this.#places = Array.from({ length: options.nodes }, (_, index) =>
      emptyPlace(world, `n${index + 1}` as NodeId),
    );
  }

  get ids(): readonly NodeId[] {
    this.#ids ??= this.#places.flatMap(({ id, isRetired }) => (isRetired ? [] : id));
    return this.#ids;
  }

  /** A name that no node has had. */
  nextId(): NodeId {
    return `n${this.#places.length + 1}` as NodeId;
  }

  /** A place for a node that is no member yet, with an empty disk. */
  addPlace(id: NodeId): void {
    const isNew = this.#places.every((place) => place.id !== id);
    invariant(isNew, "two nodes have different names");
    this.#places.push(emptyPlace(this.world, id));
    this.#ids = undefined;
  }

  /** The node is none of the cluster's any more: its process ends, and none is started again. */
  retire(id: NodeId): void {
    const place = this.#place(id);
    if (place.isRetired) return;
    this.world.trace(`${id} is retired`);
    place.isRetired = true;
    this.#ids = undefined;
    this.crash(id, "kill");
  }

  /** Starts every node and lets the cluster form. */
  async start(): Promise<void> {
    const outcomes = this.#places.map(({ id }) => this.startNode(id));
    for (const outcome of outcomes) {
      const started = await this.world.runUntilSettled(outcome);
      invariant(started.ok, `a simulated node starts: ${started.ok ? "" : started.message}`);
    }
  }

  /** Starts a process on the node's disk. Resolves when it serves, or with why it does not. */
  startNode(id: NodeId): Promise<StartOutcome> {
    const place = this.#place(id);
    invariant(place.node === undefined, "a node is started when it is down");
    place.starts += 1;
    place.isDiskFull = false;
    const random = this.world.random.fork(`node/${id}/${place.starts}`);
    const gate = new ProcessGate(this.world);
    const driftMax = this.#options.driftPerMillionMax ?? 0;
    const clock = new SimClock(this.world, {
      monotonicOffsetMs: random.below(1_000_000),
      wallOffsetMs: place.wallOffsetMs,
      driftPerMillion: driftMax === 0 ? 0 : random.below(driftMax * 2 + 1) - driftMax,
      gate,
    });
    place.disk.gate = gate;
    const disk = this.#options.wrapDisk?.(place.disk) ?? place.disk;
    const network = this.network.register(
      place.address,
      clock,
      (request, deadline, settle) => node.receive(request, deadline, settle),
      gate,
    );
    const node: CoterieNode = new CoterieNode(
      { clock, disk, network, random },
      {
        member: this.#memberAt(place),
        bootstrap: this.#places.map(({ address }) => address),
        settings: this.#settings,
        mayRejoin: this.#options.mayRejoin ?? true,
        levels: this.#options.levels?.(id) ?? levelsOfBuild,
        contextKey,
        store: {
          segmentBytes: this.#options.segmentBytes ?? segmentBytes,
          queueBytesMax: queueBytesMax,
          reserveBytes: 4096,
          durability: "fsync",
          cacheBytes: this.#options.cacheBytes ?? cacheBytes,
          onFatal: (reason) => this.#giveUp(node, reason),
          onEvent: (event) => {
            this.world.trace(`${id}: ${event.kind}`);
            if (event.kind === "damage") node.refillDamage();
            if (event.kind === "disk-full") place.isDiskFull = true;
            if (event.kind === "disk-space-back") place.isDiskFull = false;
          },
        },
        tuning: { ...usualTuning, ...this.#options.tuning },
        membership: membershipSettings(probeIntervalMs, suspicionMs),
        handoff: this.#options.handoff ?? usualHandoff,
        antiEntropy: this.#options.antiEntropy ?? noAntiEntropy,
        reaping: this.#options.reaping ?? { graceMs: undefined },
        inFlightMax,
        inFlightBytesMax,
        hintBytesMax,
        onEvent: (event) => {
          this.events.push({ node: id, event });
          this.#note(node, event);
        },
      },
    );
    place.clock = clock;
    place.gate = gate;
    place.node = node;
    return node.start();
  }

  #note(node: CoterieNode, event: NodeEvent): void {
    if (event.kind === "ready" || event.kind === "document-changed") {
      const document = node.document();
      if (document !== undefined) this.versions.note(node.id, document);
    }
    if (event.kind === "clocks-cut") {
      this.world.trace(`${node.id} cuts ${event.records} clocks`);
      this.cutSinceMs = Math.min(this.cutSinceMs, this.world.nowMs);
    }
    // It has said so, and stops by itself.
    if (event.kind === "gone") this.world.schedule(goneMs, () => this.retire(node.id));
  }

  /** Who has given up is gone, whatever of it has not heard of that yet. */
  #giveUp(node: CoterieNode, reason: string): void {
    const { id } = node;
    if (this.node(id) !== node) return;
    this.world.trace(`${id} gives up: ${reason}`);
    this.fatal.push({ node: id, reason });
    this.crash(id);
  }

  /** The process ends between two events; with `power`, what was not synced may be lost. */
  crash(id: NodeId, kind: "power" | "kill" = "power"): void {
    const place = this.#place(id);
    if (place.node === undefined) return;
    this.world.trace(`${id} crashes (${kind})`);
    place.disk.crash(kind);
    place.wallOffsetMs = place.clock?.wallOffsetMs ?? 0;
    place.clock?.crash();
    place.gate?.close();
    this.network.crash(place.address);
    place.disk = place.disk.reopen();
    place.node = undefined;
    place.clock = undefined;
    place.gate = undefined;
    for (const tell of place.onCrash) tell();
    place.onCrash.clear();
    this.#options.onDown?.(id);
  }

  /** The process stands still, as after SIGSTOP; its peers notice nothing but silence. */
  pause(id: NodeId): void {
    this.world.trace(`${id} is paused`);
    this.#place(id).gate?.pause();
  }

  resume(id: NodeId): void {
    const { gate } = this.#place(id);
    if (gate?.isPaused !== true) return;
    this.world.trace(`${id} goes on`);
    gate.resume();
  }

  isPaused(id: NodeId): boolean {
    return this.#place(id).gate?.isPaused === true;
  }

  /** Calls `run` in the node's process: now, when it goes on, or never if it ends before. */
  whenRunning(id: NodeId, run: () => void): void {
    this.#place(id).gate?.run(run);
  }

  /** Sets how far the machine's wall clock is off. */
  setWall(id: NodeId, offsetMs: number): void {
    const place = this.#place(id);
    this.world.trace(`${id}: the wall clock is ${offsetMs} ms off`);
    place.clock?.jumpWall(offsetMs - place.clock.wallOffsetMs);
    place.wallOffsetMs = offsetMs;
  }

  /** While the process is down: puts another disk in, and returns the one taken out. */
  insertDisk(id: NodeId, disk: SimDisk): SimDisk {
    const place = this.#place(id);
    invariant(place.node === undefined, "a disk is changed while no process uses it");
    this.world.trace(`${id} gets another disk`);
    const before = place.disk;
    place.disk = disk;
    return before;
  }

  /** What is over its limit at a node, now; empty if nothing is. */
  overLimit(id: NodeId): readonly string[] {
    const { node } = this.#place(id);
    if (node === undefined) return [];
    const { inFlight, inFlightBytes, store } = node.statistics();
    const over: string[] = [];
    if (inFlight > inFlightMax) over.push(`${inFlight} requests in flight`);
    if (inFlightBytes > inFlightBytesMax) over.push(`${inFlightBytes} bytes in flight`);
    if ((store?.queueBytes ?? 0) > queueBytesMax) over.push(`${store?.queueBytes} bytes queued`);
    return over;
  }

  /** As {@link insertDisk}: a disk that holds just `image`, older or of another node. */
  replaceDisk(id: NodeId, image: DiskImage): SimDisk {
    return this.insertDisk(id, SimDisk.holding(this.world, image, { name: id }));
  }

  isUp(id: NodeId): boolean {
    return this.#place(id).node !== undefined;
  }

  /** True if the node's store found no space when it last looked. */
  isDiskFull(id: NodeId): boolean {
    return this.#place(id).isDiskFull;
  }

  /** How many processes the node has had. */
  startsOf(id: NodeId): number {
    return this.#place(id).starts;
  }

  node(id: NodeId): CoterieNode | undefined {
    return this.#place(id).node;
  }

  clock(id: NodeId): SimClock | undefined {
    return this.#place(id).clock;
  }

  disk(id: NodeId): SimDisk {
    return this.#place(id).disk;
  }

  /** Asks a node; resolves `undefined` if it is down, or crashes before it answers. */
  ask<Answer>(
    id: NodeId,
    story: (node: CoterieNode) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const place = this.#place(id);
    const { node } = place;
    if (node === undefined) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const crashed = (): void => resolve(undefined);
      place.onCrash.add(crashed);
      const asked = story(node).then((answer) => {
        place.onCrash.delete(crashed);
        resolve(answer);
      });
      void asked.catch(this.#options.onError ?? reject);
    });
  }

  #memberAt({ id, address }: Place): Omit<Member, "nonce"> {
    return { id, address, http: "", grpc: "", resp: "", host: id, zone: "zone", weight: 1 };
  }

  #place(id: NodeId): Place {
    const place = this.#places.find((each) => each.id === id);
    invariant(place !== undefined, "a node is one of the cluster's");
    return place;
  }
}

function emptyPlace(world: World, id: NodeId): Place {
  return {
    id,
    address: id as string as PeerAddress,
    disk: new SimDisk(world, { name: id }),
    clock: undefined,
    node: undefined,
    gate: undefined,
    wallOffsetMs: 0,
    starts: 0,
    isDiskFull: false,
    isRetired: false,
    onCrash: new Set(),
  };
}

/** Nodes share no memory: byte arrays of a message are copied, as encoding would. */
function copy<Message extends PeerRequest | PeerResponse>(
  memory: Memory,
  message: Message,
): Message {
  const copied = { ...message } as Record<string, unknown>;
  for (const name in copied) {
    const value = copied[name];
    if (typeof value === "object" && value !== null) copied[name] = copyValue(memory, value);
  }
  return copied as Message;
}

function copyValue(memory: Memory, value: object): unknown {
  if (value instanceof Uint8Array) return memory.copy(value);
  if (Array.isArray(value)) {
    const items = value as readonly unknown[];
    return items.map((item) =>
      typeof item === "object" && item !== null ? copyValue(memory, item) : item,
    );
  }
  const fields: Record<string, unknown> = { ...value };
  for (const name in fields) {
    const field = fields[name];
    if (typeof field === "object" && field !== null) fields[name] = copyValue(memory, field);
  }
  return fields;
}
