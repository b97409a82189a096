import type { ActorId, ErrorCode } from "@coterie/core";
import type { ClusterDescription, KvReply } from "@coterie/protocol";
import type { Clock } from "../engine/clock.ts";
import type { PipeStream, StreamEvents, Transport } from "../engine/transport.ts";
import { SystemClock } from "../node/system-clock.ts";
import { FakeStore, type StoreRequest, failure } from "./fake-store.ts";
import { FakeStream } from "./fake-stream.ts";

const partitions = 64;
const replicasMax = 3;

/** Of a cluster in memory. */
export interface FakeClusterOptions {
  /** How many nodes; 3 if left out. They are called n1, n2, ... */
  readonly nodes?: number;
  /** Buckets that exist; `default` if left out. */
  readonly buckets?: readonly string[];
  /** The system's if left out. */
  readonly clock?: Clock;
}

/** What happens to requests that would otherwise be carried out. */
export interface Fault {
  /** What the node answers; `lost`: the connection breaks instead. */
  readonly code: ErrorCode | "lost";
  /** For how many requests; 1 if left out. */
  readonly times?: number;
  /** Only for requests of this kind. */
  readonly kind?: "get" | "put" | "delete" | "scan";
  /** Only at this node. */
  readonly node?: string;
  /** Carries the write out all the same: its outcome is unknown to whoever sent it. */
  readonly applied?: boolean;
}

interface FakeNode {
  readonly id: string;
  readonly actor: ActorId;
  readonly streams: Set<FakeStream>;
  isUp: boolean;
  isPaused: boolean;
  delayMs: number;
  /** Requests it carried out or refused. */
  requests: number;
}

/**
 * A cluster in memory: real causality, siblings, contexts and write ids, replicated in an instant,
 * with faults on demand. Any number of clients may share one.
 */
export class FakeCluster implements Transport {
  readonly clock: Clock;
  readonly #store: FakeStore;
  readonly #buckets: readonly string[];
  readonly #nodes = new Map<string, FakeNode>();
  #faults: (Fault & { timesLeft: number })[] = [];
  #epoch = 1;

  constructor(options: FakeClusterOptions = {}) {
    const { nodes = 3, buckets = ["default"], clock = new SystemClock() } = options;
    this.clock = clock;
    this.#buckets = buckets;
    this.#store = new FakeStore(buckets);
    for (let number = 1; number <= nodes; number += 1) this.#add(number);
  }

  /** The nodes' ids. */
  get nodes(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  /** The addresses under which a client reaches them. */
  get addresses(): readonly string[] {
    return this.nodes.map(addressOf);
  }

  /** Has requests fail from now on; those that do not match are carried out. */
  fail(fault: Fault): void {
    this.#faults.push({ ...fault, timesLeft: fault.times ?? 1 });
  }

  /** Lets every request of a node, or of all, take this long from now on. */
  delay(delayMs: number, node?: string): void {
    for (const each of this.#chosen(node)) each.delayMs = delayMs;
  }

  /** The node's process dies: its connections break, and nobody can connect to it. */
  kill(node: string): void {
    const dead = this.#node(node);
    dead.isUp = false;
    for (const stream of dead.streams) stream.break("connection reset");
    dead.streams.clear();
  }

  /** The node is back. */
  revive(node: string): void {
    this.#node(node).isUp = true;
  }

  /** The node's process is stopped: it answers nothing, and its connections stay. */
  pause(node: string): void {
    this.#node(node).isPaused = true;
  }

  /** It goes on, and reads what arrived meanwhile. */
  resume(node: string): void {
    const resumed = this.#node(node);
    resumed.isPaused = false;
    for (const stream of resumed.streams) stream.resume();
  }

  /** A node joins, and owns its share of the keys. */
  join(): string {
    this.#epoch += 1;
    return this.#add(this.#nodes.size + 1);
  }

  /** How many requests a node has been sent and has read. */
  requests(node: string): number {
    return this.#node(node).requests;
  }

  /** For clients: as a network would. */
  open(address: string, events: StreamEvents): PipeStream {
    const node = [...this.#nodes.values()].find(({ id }) => addressOf(id) === address);
    const stream = new FakeStream(this.clock, events, {
      isUp: node?.isUp ?? false,
      get delayMs() {
        return node?.delayMs ?? 0;
      },
      get isPaused() {
        return node?.isPaused ?? false;
      },
      handle: (request) => this.#handle(node as FakeNode, request),
      describe: () => this.#describe((node as FakeNode).id),
    });
    if (node?.isUp === true) node.streams.add(stream);
    return stream;
  }

  #handle(node: FakeNode, request: StoreRequest): KvReply | "nothing" {
    node.requests += 1;
    const up = [...this.#nodes.values()].filter(({ isUp, isPaused }) => isUp && !isPaused).length;
    const n = Math.min(replicasMax, this.#nodes.size);
    const required = Math.floor(n / 2) + 1;
    const acks = { primaries: Math.min(n, up), fallbacks: 0, required };
    const input = { actor: node.actor, wallMs: this.clock.wallMs(), acks };
    const fault = this.#faultFor(node, request);
    if (fault !== undefined) {
      if (fault.applied === true) this.#store.handle(request, input);
      if (fault.code === "lost") {
        for (const stream of node.streams) stream.break("connection reset");
        node.streams.clear();
        return "nothing";
      }
      return failure(fault.code, "a fault that the test asked for", acks, fault.applied === true);
    }
    if (up < required) {
      return failure("quorum-not-met", `${up} of ${required} replicas answered`, acks);
    }
    return this.#store.handle(request, input);
  }

  #faultFor(node: FakeNode, request: StoreRequest): Fault | undefined {
    const fault = this.#faults.find(
      ({ kind, node: place }) =>
        (kind ?? request.kind) === request.kind && (place ?? node.id) === node.id,
    );
    if (fault === undefined) return undefined;
    fault.timesLeft -= 1;
    if (fault.timesLeft <= 0) this.#faults = this.#faults.filter((other) => other !== fault);
    return fault;
  }

  #describe(node: string): ClusterDescription {
    const ids = this.nodes;
    const n = Math.min(replicasMax, ids.length);
    const w = Math.floor(n / 2) + 1;
    return {
      epoch: this.#epoch,
      node,
      members: ids.map((id) => ({ id, grpc: addressOf(id), http: "", host: id, zone: "" })),
      buckets: this.#buckets.map((name) => {
        return { name, policy: "siblings", n, r: w, w, pr: 0, pw: 0 };
      }),
      partitions: Array.from({ length: partitions }, (_, partition) =>
        ids.map((_id, at) => (partition + at) % ids.length).slice(0, n),
      ),
      hash: "md5",
    };
  }

  #add(number: number): string {
    const id = `n${number}`;
    const actor = number.toString(16).padStart(16, "0") as ActorId;
    const streams = new Set<FakeStream>();
    const node = { id, actor, streams, isUp: true, isPaused: false, delayMs: 0, requests: 0 };
    this.#nodes.set(id, node);
    return id;
  }

  #chosen(node: string | undefined): readonly FakeNode[] {
    return node === undefined ? [...this.#nodes.values()] : [this.#node(node)];
  }

  #node(id: string): FakeNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new RangeError(`the fake cluster has no node ${id}`);
    return node;
  }
}

function addressOf(id: string): string {
  return `${id}.fake:1`;
}
