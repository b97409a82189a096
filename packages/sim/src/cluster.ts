import {
  CoterieNode,
  type CoordinationTuning,
  type NodeEvent,
  type PeerRequest,
  type PeerResponse,
  type StartOutcome,
} from "@coterie/cluster";
import {
  type BucketSettings,
  type ClusterSettings,
  type NodeId,
  type PeerAddress,
  defaultBuckets,
  invariant,
} from "@coterie/core";
import type { Disk } from "@coterie/ports";
import { SimClock } from "./clock.ts";
import { type DiskImage, SimDisk } from "./disk.ts";
import { SimNetwork } from "./network.ts";
import type { World } from "./world.ts";

export interface SimClusterOptions {
  readonly nodes: number;
  readonly partitions?: number;
  readonly buckets?: readonly BucketSettings[];
  /** Wraps every node's disk: for planted bugs. */
  readonly wrapDisk?: (disk: SimDisk) => Disk;
  /** Changes requests on their way: for planted bugs. */
  readonly corrupt?: (request: PeerRequest) => PeerRequest;
  readonly tuning?: CoordinationTuning;
}

/** One place for a process: its disk survives, the process may not. */
interface Place {
  readonly id: NodeId;
  readonly address: PeerAddress;
  disk: SimDisk;
  clock: SimClock | undefined;
  node: CoterieNode | undefined;
  starts: number;
  /** Told when the process crashes: what it was asked will never be answered. */
  readonly onCrash: Set<() => void>;
}

const usualTuning: CoordinationTuning = {
  hedgeAfterMs: 30,
  forwardAttemptMs: 300,
  timeoutMsDefault: 1000,
};

/** Small enough that segments rotate and records are read from the disk. */
const segmentBytes = 64 * 1024;
/** Room for some thirty records: most reads of a simulation go to the disk. */
const cacheBytes = 4096;

/**
 * A whole cluster in one process: the production node, store and coordinator over simulated ports.
 * A crash cuts a node's ports; a restart builds a new node from its disk alone.
 */
export class SimCluster {
  readonly world: World;
  readonly network: SimNetwork<PeerRequest, PeerResponse>;
  readonly events: { readonly node: NodeId; readonly event: NodeEvent }[] = [];
  readonly #options: SimClusterOptions;
  readonly #settings: ClusterSettings;
  readonly #places: readonly Place[];

  constructor(world: World, options: SimClusterOptions) {
    this.world = world;
    this.#options = options;
    this.network = new SimNetwork<PeerRequest, PeerResponse>(world, {
      copyRequest: (request) => options.corrupt?.(copy(request)) ?? copy(request),
      copyResponse: copy,
    });
    const nMax = Math.min(3, options.nodes);
    this.#settings = {
      partitions: options.partitions ?? 8,
      nMax: Math.max(nMax, ...(options.buckets ?? []).map(({ n }) => n)),
      buckets: options.buckets ?? defaultBuckets(nMax),
    };
    this.#places = Array.from({ length: options.nodes }, (_, index) => ({
      id: `n${index + 1}` as NodeId,
      address: `n${index + 1}` as PeerAddress,
      disk: new SimDisk(world, { name: `n${index + 1}` }),
      clock: undefined,
      node: undefined,
      starts: 0,
      onCrash: new Set(),
    }));
  }

  get ids(): readonly NodeId[] {
    return this.#places.map(({ id }) => id);
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
    const random = this.world.random.fork(`node/${id}/${place.starts}`);
    const clock = new SimClock(this.world, { monotonicOffsetMs: random.below(1_000_000) });
    const disk = this.#options.wrapDisk?.(place.disk) ?? place.disk;
    const network = this.network.register(place.address, clock, (request, deadline, settle) =>
      node.receive(request, deadline, settle),
    );
    const node: CoterieNode = new CoterieNode(
      { clock, disk, network, random },
      {
        member: {
          id,
          address: place.address,
          http: "",
          grpc: "",
          host: id,
          zone: "zone",
          weight: 1,
        },
        bootstrap: this.#places.map(({ address }) => address),
        settings: this.#settings,
        contextKey: undefined,
        store: {
          segmentBytes,
          queueBytesMax: 4 * 1024 * 1024,
          reserveBytes: 4096,
          durability: "fsync",
          cacheBytes,
          onFatal: () => this.crash(id),
          onEvent: (event) => {
            this.world.trace(`${id}: ${event.kind}`);
            if (event.kind === "damage") node.refillDamage();
          },
        },
        tuning: this.#options.tuning ?? usualTuning,
        inFlightMax: 1000,
        inFlightBytesMax: 64 * 1024 * 1024,
        onEvent: (event) => this.events.push({ node: id, event }),
      },
    );
    place.clock = clock;
    place.node = node;
    return node.start();
  }

  /** The process ends between two events; with `power`, what was not synced may be lost. */
  crash(id: NodeId, kind: "power" | "kill" = "power"): void {
    const place = this.#place(id);
    if (place.node === undefined) return;
    this.world.trace(`${id} crashes (${kind})`);
    place.disk.crash(kind);
    place.clock?.crash();
    this.network.crash(place.address);
    place.disk = place.disk.reopen();
    place.node = undefined;
    place.clock = undefined;
    for (const tell of place.onCrash) tell();
    place.onCrash.clear();
  }

  /** While the node is down: gives it a disk that holds just `image`, older or of another node. */
  replaceDisk(id: NodeId, image: DiskImage): void {
    const place = this.#place(id);
    invariant(place.node === undefined, "a disk is replaced while its node is down");
    place.disk.crash("kill");
    place.disk.restore(image);
    place.disk = place.disk.reopen();
  }

  isUp(id: NodeId): boolean {
    return this.#place(id).node !== undefined;
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
    return new Promise((resolve) => {
      const crashed = (): void => resolve(undefined);
      place.onCrash.add(crashed);
      void story(node).then((answer) => {
        place.onCrash.delete(crashed);
        resolve(answer);
      });
    });
  }

  #place(id: NodeId): Place {
    const place = this.#places.find((each) => each.id === id);
    invariant(place !== undefined, "a node is one of the cluster's");
    return place;
  }
}

/** Nodes share no memory: byte arrays of a message are copied, as encoding would. */
function copy<Message>(message: Message): Message {
  if (message instanceof Uint8Array) return message.slice() as Message;
  if (Array.isArray(message)) return message.map(copy) as Message;
  if (typeof message !== "object" || message === null) return message;
  const fields = Object.entries(message).map(([name, value]) => [name, copy(value)]);
  return Object.fromEntries(fields) as Message;
}
