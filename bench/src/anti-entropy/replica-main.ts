// One of the two nodes of the bench of anti-entropy: a process that does what its parent orders.
import { setTimeout as sleep } from "node:timers/promises";
import { CoterieNode, type PeerRequest, type PeerResponse } from "@coterie/cluster";
import {
  levelsOfBuild,
  type NodeId,
  type PeerAddress,
  defaultBuckets,
  membershipDefaults,
} from "@coterie/core";
import type { Receive } from "@coterie/ports";
import { NodeDisk, NodeRandom, PeerNetwork, PeerServer, SystemClock } from "@coterie/server";
import { CountedNetwork } from "./counted-network.ts";
import { fill, keyOf } from "./fill.ts";
import type { Figures, Order, OrderMessage, Repaired, Shape } from "./orders.ts";
import { replicaStore } from "./replica-store.ts";

const gibibyte = 1024 ** 3;
const overwritesAtOnce = 512;
const pollMs = 5;

function nameOf(number: number): string {
  return `key-${number}`;
}

class Replica {
  readonly #id: string;
  readonly #directory: string;
  readonly #shape: Shape;
  readonly #address: PeerAddress;
  readonly #clock = new SystemClock();
  readonly #network: CountedNetwork;
  #node: CoterieNode | undefined;

  constructor(id: string, directory: string, shape: Shape, port: number) {
    this.#id = id;
    this.#directory = directory;
    this.#shape = shape;
    this.#address = `127.0.0.1:${port}` as PeerAddress;
    const parts = { clock: this.#clock, random: new NodeRandom() };
    this.#network = new CountedNetwork(new PeerNetwork(parts), new PeerNetwork(parts));
  }

  readonly receive: Receive<PeerRequest, PeerResponse> = (request, deadline, settle) => {
    if (this.#node !== undefined) return this.#node.receive(request, deadline, settle);
    const refused = { kind: "refused", code: "not-ready", outcome: "refused" } as const;
    settle({ ...refused, message: "no node runs here", primaries: 0, fallbacks: 0 });
  };

  carryOut(order: Order): Promise<unknown> {
    switch (order.kind) {
      case "fill":
        return fill(this.#directory, { ...this.#shape, copies: 2 }, order.keys, nameOf);
      case "start":
        return this.#start(order.bootstrap as readonly PeerAddress[]);
      case "stop":
        return this.#stop();
      case "overwrite":
        return this.#overwrite(order.keys);
      case "repair":
        return this.#repair();
      case "figures":
        break;
    }
    return this.#figures();
  }

  get #running(): CoterieNode {
    if (this.#node === undefined) throw new Error(`${this.#id} is not running`);
    return this.#node;
  }

  async #start(bootstrap: readonly PeerAddress[]): Promise<void> {
    const clock = this.#clock;
    const ports = { clock, random: new NodeRandom(), network: this.#network };
    const place = { http: "", grpc: "", resp: "", host: this.#id, zone: this.#id, weight: 1 };
    const { partitions } = this.#shape;
    const node = new CoterieNode(
      { ...ports, disk: new NodeDisk(this.#directory) },
      {
        member: { id: this.#id as NodeId, address: this.#address, ...place },
        bootstrap,
        settings: { partitions, hash: "md5", nMax: 2, buckets: defaultBuckets(2) },
        mayRejoin: false,
        levels: levelsOfBuild,
        contextKey: undefined,
        store: replicaStore,
        tuning: { hedgeAfterMs: 25, forwardAttemptMs: 400, timeoutMsDefault: 2000 },
        membership: membershipDefaults,
        // Only the repair that is measured makes copies equal, and nothing slows it down.
        reaping: { graceMs: undefined },
        handoff: { bytesPerSecond: 0, keysMax: 0 },
        antiEntropy: { intervalMs: 0, bytesPerSecond: gibibyte },
        inFlightMax: 4096,
        inFlightBytesMax: gibibyte,
        hintBytesMax: gibibyte,
        onEvent: () => undefined,
      },
    );
    this.#node = node;
    const started = await node.start();
    if (!started.ok) throw new Error(`${this.#id}: ${started.message}`);
  }

  async #stop(): Promise<void> {
    await this.#running.stop();
    this.#node = undefined;
  }

  /** As a client does that has read the key, while the other node is out of reach. */
  async #overwrite(keys: number): Promise<void> {
    const node = this.#running;
    const value = new Uint8Array(this.#shape.valueBytes);
    const alone = { r: 1, w: 1, strict: true };
    this.#network.isCut = true;
    let next = 0;
    const lane = async (): Promise<void> => {
      for (let number = next++; number < keys; number = next++) {
        const key = keyOf(nameOf(number));
        const got = await node.get(key, alone);
        if (!got.ok) throw new Error(got.message);
        const { context } = got;
        const input = { value, contentType: "", context, writeId: undefined };
        const put = await node.put(key, { ...input, returnBody: false, ifAbsent: false }, alone);
        if (!put.ok) throw new Error(put.message);
      }
    };
    await Promise.all(Array.from({ length: overwritesAtOnce }, lane));
    this.#network.isCut = false;
  }

  async #repair(): Promise<Repaired> {
    const node = this.#running;
    this.#network.take();
    const started = node.repair("all");
    if (!started.ok) throw new Error(started.message);
    for (;;) {
      const repair = node.antiEntropy()?.repair;
      if (repair !== undefined && repair.state !== "running") {
        return { repair, traffic: this.#network.take() };
      }
      await sleep(pollMs);
    }
  }

  async #figures(): Promise<Figures> {
    const { store } = this.#running.statistics();
    if (store === undefined) throw new Error("the store is not open");
    const { keys, readsFromCache, readsFromDisk, bytesAppended } = store;
    return { keys, rowsRead: readsFromCache + readsFromDisk, bytesAppended };
  }
}

const [, , id = "", directory = "", shape = "{}"] = process.argv;
const holder: { replica: Replica | undefined } = { replica: undefined };
const server = new PeerServer({
  clock: new SystemClock(),
  receive: (request, deadline, settle) => holder.replica?.receive(request, deadline, settle),
});
const listening = await server.listen("127.0.0.1", 0);
if (!listening.ok) throw new Error(listening.message);
const replica = new Replica(id, directory, JSON.parse(shape) as Shape, listening.port);
holder.replica = replica;
process.on("message", ({ number, order }: OrderMessage) => {
  replica.carryOut(order).then(
    (answer) => process.send?.({ number, answer }),
    (error: Error) => process.send?.({ number, answer: undefined, error: error.message }),
  );
});
process.on("disconnect", () => process.exit());
process.send?.(listening.port);
