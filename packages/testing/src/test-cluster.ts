import type { CoterieClient, CoterieOptions } from "@coterie/client";
import { clientOver } from "@coterie/client/testing";
import { type BucketSettings, type NodeId, type PeerAddress, defaultBuckets } from "@coterie/core";
import { SimCluster, World, fairWeather } from "@coterie/sim";
import { ClientNetwork } from "./client-network.ts";
import { NodeDoor } from "./node-door.ts";
import { SeededChance } from "./seeded-chance.ts";
import { ClientClock, VirtualTime } from "./virtual-time.ts";

/** Taken at once: a test may put fake timers in their place. */
const immediately = setImmediate;

/** Partitions of a cluster for tests, unless it asks for more. */
const partitionsDefault = 16;

/** Of a cluster for tests. */
export interface TestClusterOptions {
  /** How many nodes; 3 if left out. They are called n1, n2, ... */
  readonly nodes?: number;
  /** Everything that chance decides follows from it; 1 if left out. */
  readonly seed?: number;
  /** Buckets besides `default`: their names, or settings that differ from those of `default`. */
  readonly buckets?: readonly (string | TestBucket)[];
  readonly partitions?: number;
}

/** A bucket of a cluster for tests; what is left out is as in `default`. */
export interface TestBucket {
  readonly name: string;
  readonly policy?: "siblings" | "lww";
  readonly n?: number;
  readonly r?: number;
  readonly w?: number;
}

/** How messages between nodes fare; of a thousand each. */
export interface TestWeather {
  readonly lostPerThousand?: number;
  readonly duplicatedPerThousand?: number;
  /** Arrive when their sender has probably given up. */
  readonly latePerThousand?: number;
  readonly latencyMsMax?: number;
}

/** Stands for all clients where nodes are named, as in {@link TestCluster.partition}. */
const clientsSide = "clients";

/**
 * A whole cluster in this process: the production code of its nodes over a simulated network, disk
 * and clock. Time is virtual. It passes while a client's operation is pending and while `advance`
 * is awaited, as fast as the machine can go, and stands still otherwise. All that happens follows
 * from the seed.
 *
 * @example
 * await using cluster = await TestCluster.start({ nodes: 3, seed: 7 });
 * const coterie = cluster.client();
 * await coterie.put("cart", "apple");
 * cluster.crash("n1");
 * await coterie.get("cart"); // two of three replicas are enough
 */
export class TestCluster implements AsyncDisposable {
  readonly #world: World;
  readonly #time: VirtualTime;
  readonly #cluster: SimCluster;
  readonly #doors: readonly NodeDoor[];
  readonly #network: ClientNetwork;
  readonly #clients: CoterieClient[] = [];

  private constructor({ nodes = 3, seed = 1, buckets = [], partitions }: TestClusterOptions) {
    const drain = (): Promise<void> => new Promise((resolve) => immediately(resolve));
    this.#world = new World({ seed, drain });
    this.#time = new VirtualTime(this.#world);
    this.#cluster = new SimCluster(this.#world, {
      nodes,
      partitions: partitions ?? partitionsDefault,
      buckets: bucketsOf(nodes, buckets),
      onDown: (id) => this.#network.breakStreams(this.#door(id)),
    });
    this.#doors = this.#cluster.ids.map((id) => new NodeDoor(this.#cluster, id));
    this.#network = new ClientNetwork(this.#world, this.#doors);
  }

  /** Starts a cluster; its nodes serve when this resolves. */
  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    const started = new TestCluster(options);
    await started.#cluster.start();
    return started;
  }

  /** The nodes' names. */
  get nodes(): readonly string[] {
    return this.#cluster.ids;
  }

  /** Virtual milliseconds since the cluster was made. */
  get nowMs(): number {
    return this.#world.nowMs;
  }

  /**
   * A client of the cluster: the code of `Coterie` from end to end, but for the network and the
   * clock. With `nodes` it knows of these at first, by name; of all if left out.
   */
  client(options: Partial<CoterieOptions> = {}): CoterieClient {
    const chance = this.#world.random.fork(`client/${this.#clients.length}`);
    const known = options.nodes?.map((name) => this.#door(name)) ?? this.#doors;
    const client = clientOver({
      ...options,
      nodes: known.map(({ address }) => address),
      transport: this.#network,
      clock: new ClientClock(this.#time),
      random: new SeededChance(chance),
    });
    this.#clients.push(client);
    return client;
  }

  /** Lets virtual time pass. */
  advance(ms: number): Promise<void> {
    return this.#time.advance(ms);
  }

  /** The node's process is killed; with `power`, what its disk had not synced may be lost. */
  crash(node: string, kind: "kill" | "power" = "kill"): void {
    const door = this.#door(node);
    this.#cluster.crash(door.id, kind);
  }

  /** The node finishes what it does, and ends cleanly. */
  async stop(node: string): Promise<void> {
    const { id } = this.#door(node);
    const running = this.#cluster.node(id);
    if (running !== undefined) await this.#time.waitFor(running.stop());
    this.crash(node);
  }

  /** The node's process stands still, as after SIGSTOP, until {@link resume}. */
  pause(node: string): void {
    this.#cluster.pause(this.#door(node).id);
  }

  resume(node: string): void {
    this.#cluster.resume(this.#door(node).id);
  }

  /** Starts a node that is down, from what its disk holds. It serves when this resolves. */
  async restart(node: string): Promise<void> {
    const { id } = this.#door(node);
    if (this.#cluster.isUp(id)) throw new Error(`${node} is up`);
    const started = await this.#time.waitFor(this.#cluster.startNode(id));
    if (!started.ok) throw new Error(`${node} does not start: ${started.message}`);
  }

  isUp(node: string): boolean {
    return this.#door(node).isUp;
  }

  /**
   * From now on nothing passes between nodes of different sides; `"clients"` stands for all clients
   * at once, and clients that are in no side reach every node.
   */
  partition(...sides: readonly (readonly string[])[]): void {
    for (const [at, side] of sides.entries()) {
      for (const other of sides.slice(at + 1)) {
        for (const from of side) for (const to of other) this.#cutBothWays(from, to);
      }
    }
  }

  /** From now on what `from` sends to `to` vanishes; the other direction works. */
  cut(from: string, to: string): void {
    this.#cluster.network.cut(this.#peer(from), this.#peer(to));
  }

  /** What `from` sends to `to` stays under way until {@link release} or {@link heal}. */
  hold(from: string, to: string): void {
    this.#cluster.network.hold(this.#peer(from), this.#peer(to));
  }

  release(from: string, to: string): void {
    this.#cluster.network.release(this.#peer(from), this.#peer(to));
  }

  /** Mends every link, and brings fair weather. Nodes that are down stay down. */
  heal(): void {
    this.#cluster.network.heal();
    this.#network.heal();
  }

  /** Has messages between nodes lost, repeated, late or slow from now on. */
  weather(weather: TestWeather): void {
    const { msMin, msMax } = fairWeather.latency;
    this.#cluster.network.weather = {
      latency: { msMin, msMax: Math.max(msMin, weather.latencyMsMax ?? msMax) },
      lossPerThousand: weather.lostPerThousand ?? 0,
      duplicatePerThousand: weather.duplicatedPerThousand ?? 0,
      latePerThousand: weather.latePerThousand ?? 0,
    };
  }

  /** Moves the node's wall clock, forwards or backwards. */
  jumpClock(node: string, ms: number): void {
    this.#cluster.clock(this.#door(node).id)?.jumpWall(ms);
  }

  /** What happened last in the cluster, with virtual times: for a test that fails. */
  trace(): readonly string[] {
    return this.#world.traceTail();
  }

  /** Equal for two runs that did the same. */
  traceHash(): string {
    return this.#world.traceHash();
  }

  /** Ends the clients, and the nodes. */
  async close(): Promise<void> {
    for (const client of this.#clients) await client.close({ drain: false });
    for (const node of this.nodes) this.crash(node);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #cutBothWays(one: string, two: string): void {
    if (one === clientsSide) this.#network.cut(this.#door(two).id);
    else if (two === clientsSide) this.#network.cut(this.#door(one).id);
    else this.#cluster.network.partition([this.#peer(one)], [this.#peer(two)]);
  }

  #door(node: string): NodeDoor {
    const door = this.#doors.find(({ id }) => id === node);
    if (door === undefined) throw new RangeError(`the cluster has no node ${node}`);
    return door;
  }

  /** Simulated nodes listen to each other at addresses that are their names. */
  #peer(node: string): PeerAddress {
    const id: NodeId = this.#door(node).id;
    return id as string as PeerAddress;
  }
}

function bucketsOf(
  nodes: number,
  more: readonly (string | TestBucket)[],
): readonly BucketSettings[] {
  const known = defaultBuckets(nodes);
  const [usual] = known as readonly [BucketSettings, ...BucketSettings[]];
  const added = more.map((bucket) => {
    const settings = { ...usual, ...(typeof bucket === "string" ? { name: bucket } : bucket) };
    return { ...settings, allowStale: settings.r + settings.w <= settings.n };
  });
  const names = new Set(added.map(({ name }) => name));
  return [...known.filter(({ name }) => !names.has(name)), ...added];
}
