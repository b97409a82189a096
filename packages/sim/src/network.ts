import { type PeerAddress, invariant } from "@coterie/core";
import type { Cancel, Clock, MonotonicMs, Network, Receive, Reply } from "@coterie/ports";
import type { ProcessGate } from "./gate.ts";
import type { SeededRandom } from "./random.ts";
import type { LatencyRange, World } from "./world.ts";

/** What the network does to messages. Requests and responses suffer it independently. */
export interface NetworkWeather {
  readonly latency: LatencyRange;
  /** Of a thousand messages, how many are lost. */
  readonly lossPerThousand: number;
  /** Of a thousand requests, how many arrive twice. */
  readonly duplicatePerThousand: number;
  /** Of a thousand messages, how many arrive when their sender has probably given up. */
  readonly latePerThousand: number;
}

/** Messages take their time and arrive. */
export const fairWeather: NetworkWeather = {
  latency: { msMin: 0.25, msMax: 2 },
  lossPerThousand: 0,
  duplicatePerThousand: 0,
  latePerThousand: 0,
};

/**
 * How a cut shows itself. `silent`: messages vanish, and calls end by their deadlines. `refusing`:
 * the sender knows, and its calls are refused.
 */
export type Cut = "silent" | "refusing";

export interface SimNetworkOptions<Request, Response> {
  /** Encoding and decoding, or what comes to the same: nodes share no memory. */
  readonly copyRequest: (request: Request) => Request;
  readonly copyResponse: (response: Response) => Response;
  /** False for requests that are delivered at most once; see the port. All others may be twice. */
  readonly mayArriveTwice?: (request: Request) => boolean;
  readonly weather?: NetworkWeather;
}

interface Node<Request, Response> {
  readonly address: PeerAddress;
  readonly clock: Clock;
  readonly receive: Receive<Request, Response>;
  readonly gate: ProcessGate | undefined;
  /** Virtual times at which requests came that it has not answered. */
  readonly unanswered: Set<{ readonly sinceMs: number }>;
  isCrashed: boolean;
}

interface Call<Request, Response> {
  readonly id: number;
  readonly sender: Node<Request, Response>;
  readonly to: PeerAddress;
  readonly request: Request;
  readonly timeoutMs: number;
  readonly settle: (reply: Reply<Response>) => void;
  readonly sinceMs: number;
  isSettled: boolean;
  cancelTimeout: Cancel;
}

/**
 * The network between simulated nodes. Each call settles exactly once; in between, messages are
 * delayed, reordered, lost, duplicated or late, and links and nodes fail, as the seed decides.
 */
export class SimNetwork<Request, Response> {
  weather: NetworkWeather;
  readonly #world: World;
  readonly #options: SimNetworkOptions<Request, Response>;
  readonly #random: SeededRandom;
  readonly #nodes = new Map<PeerAddress, Node<Request, Response>>();
  readonly #cuts = new Map<string, Cut>();
  /** What a caller of a node that is down meets; decided at each crash. */
  readonly #down = new Map<PeerAddress, Cut>();
  /** What waits in a held link, in the order sent. */
  readonly #held = new Map<string, (() => void)[]>();
  readonly #overtaken = new Map<string, (() => void)[]>();
  readonly #open = new Set<Call<Request, Response>>();
  /** How many times slower than usual messages from and to an address are. */
  readonly #slowness = new Map<PeerAddress, number>();
  /** Of a thousand requests, how many are kept to be sent again; and those that were. */
  #remembered: { readonly perThousand: number; readonly deliver: (() => void)[] } | undefined;
  /** Per link, how many streams have died on it. */
  readonly #broken = new Map<string, number>();
  /** All streams that have died: while it is the same nothing needs to be looked up. */
  #breaks = 0;
  #calls = 0;

  constructor(world: World, options: SimNetworkOptions<Request, Response>) {
    this.#world = world;
    this.#options = options;
    this.#random = world.random.fork("network");
    this.weather = options.weather ?? fairWeather;
  }

  /** Puts a process at `address` and returns its port. The one before it there has crashed. */
  register(
    address: PeerAddress,
    clock: Clock,
    receive: Receive<Request, Response>,
    gate?: ProcessGate,
  ): Network<Request, Response> {
    invariant(
      this.#nodes.get(address)?.isCrashed !== false,
      "one process at a time listens at an address",
    );
    const unanswered = new Set<{ readonly sinceMs: number }>();
    const node = { address, clock, receive, gate, unanswered, isCrashed: false };
    this.#nodes.set(address, node);
    this.#down.delete(address);
    return {
      call: (to, request, deadline, settle) => this.#call(node, { to, request, deadline, settle }),
      isReachable: (to) => this.#obstacle(address, to) !== "refusing",
    };
  }

  /**
   * The process at `address` is gone: its port settles nothing any more, and it answers nothing.
   * What it sent before may still arrive.
   */
  crash(address: PeerAddress): void {
    const node = this.#nodes.get(address);
    invariant(node !== undefined && !node.isCrashed, "a process that crashes was running");
    node.isCrashed = true;
    // A dead process on a running machine refuses connections; a dead machine says nothing.
    this.#down.set(address, this.#random.chance(750) ? "refusing" : "silent");
    this.#world.trace(`network: ${address} is down`);
    for (const call of this.#open) {
      if (call.sender === node) this.#open.delete(call);
      // The connection broke under it, if the caller could notice that: perhaps it was executed.
      else if (call.to === address && this.#down.get(address) === "refusing") {
        this.#later(() => this.#return(call, { ok: false, reason: "timeout" }));
      }
    }
  }

  /** Stops messages from `from` to `to`. The other direction works until it is cut as well. */
  cut(from: PeerAddress, to: PeerAddress, kind: Cut = "silent"): void {
    this.#cuts.set(link(from, to), kind);
    this.#world.trace(`network: ${from} to ${to} is cut (${kind})`);
  }

  /** Lets messages from `from` to `to` pass again. */
  mend(from: PeerAddress, to: PeerAddress): void {
    if (this.#cuts.delete(link(from, to))) this.#world.trace(`network: ${from} to ${to} is mended`);
  }

  /** Makes everything from and to `address` take `factor` times as long; 1 ends it. */
  slow(address: PeerAddress, factor: number): void {
    if (factor === 1) this.#slowness.delete(address);
    else this.#slowness.set(address, factor);
    this.#world.trace(`network: ${address} is ${factor} times slower than usual`);
  }

  /**
   * The stream from `from` to `to` dies: what was under way on it is lost, in both directions, and
   * who called knows that soon. The next call opens another one.
   */
  breakStream(from: PeerAddress, to: PeerAddress): void {
    const broken = link(from, to);
    this.#broken.set(broken, (this.#broken.get(broken) ?? 0) + 1);
    this.#breaks += 1;
    this.#world.trace(`network: the stream from ${from} to ${to} dies`);
    for (const call of this.#open) {
      if (call.sender.address !== from || call.to !== to) continue;
      this.#later(() => this.#return(call, { ok: false, reason: "timeout" }));
    }
  }

  /**
   * What should have ended before `sinceMs`, virtual time: calls of live processes that were not
   * settled by their deadlines, and requests that live processes have not answered.
   */
  hanging(sinceMs: number): { readonly calls: number; readonly unanswered: number } {
    let calls = 0;
    for (const call of this.#open) {
      // A call may wait for as long as its caller said, however long that is.
      if (call.sinceMs + Math.max(0, call.timeoutMs) < sinceMs) calls += 1;
    }
    let unanswered = 0;
    for (const node of this.#nodes.values()) {
      if (node.isCrashed) continue;
      for (const request of node.unanswered) if (request.sinceMs < sinceMs) unanswered += 1;
    }
    return { calls, unanswered };
  }

  /** How many streams have died. */
  get breaks(): number {
    return this.#breaks;
  }

  /** True if messages from `from` reach the process at `to`, sooner or later. */
  passes(from: PeerAddress, to: PeerAddress): boolean {
    return this.#obstacle(from, to) === undefined && !this.#held.has(link(from, to));
  }

  isSlow(address: PeerAddress): boolean {
    return this.#slowness.has(address);
  }

  /** Cuts every link between the two sides, both ways. */
  partition(one: readonly PeerAddress[], two: readonly PeerAddress[], kind: Cut = "silent"): void {
    for (const left of one) {
      for (const right of two) {
        this.cut(left, right, kind);
        this.cut(right, left, kind);
      }
    }
  }

  /** From now on messages from `from` to `to` are under way until {@link release}. */
  hold(from: PeerAddress, to: PeerAddress): void {
    const name = link(from, to);
    if (!this.#held.has(name)) this.#held.set(name, []);
    this.#world.trace(`network: ${from} to ${to} is held`);
  }

  /** What is sent from now on overtakes what is held, which stays where it is. */
  overtake(from: PeerAddress, to: PeerAddress): void {
    const name = link(from, to);
    const waiting = this.#held.get(name) ?? [];
    this.#held.delete(name);
    this.#overtaken.set(name, [...(this.#overtaken.get(name) ?? []), ...waiting]);
    this.#world.trace(`network: what ${from} had sent to ${to} is overtaken`);
  }

  /** Lets what was held travel on, even if its sender gave up or is gone. */
  release(from: PeerAddress, to: PeerAddress): void {
    const name = link(from, to);
    const waiting = [...(this.#overtaken.get(name) ?? []), ...(this.#held.get(name) ?? [])];
    this.#overtaken.delete(name);
    this.#held.delete(name);
    this.#world.trace(`network: ${from} to ${to} is released`);
    for (const arrive of waiting) this.#later(arrive);
  }

  /**
   * From now on keeps some of the requests that may arrive twice. Returns what ends that; and then
   * what has them come again, to processes that are still there, over links that pass.
   */
  remember(perThousand: number): () => () => void {
    const deliver: (() => void)[] = [];
    const remembered = { perThousand, deliver };
    this.#remembered = remembered;
    return () => {
      if (this.#remembered === remembered) this.#remembered = undefined;
      return () => {
        this.#world.trace(`network: ${deliver.length} requests come again`);
        for (const each of deliver) each();
      };
    };
  }

  /** Mends every link and brings fair weather. Nodes that are down stay down. */
  heal(): void {
    this.#cuts.clear();
    for (const waiting of this.#held.values()) for (const arrive of waiting) this.#later(arrive);
    this.#held.clear();
    this.#slowness.clear();
    this.weather = fairWeather;
    this.#world.trace("network: healed");
  }

  #call(
    sender: Node<Request, Response>,
    options: {
      readonly to: PeerAddress;
      readonly request: Request;
      readonly deadline: MonotonicMs;
      readonly settle: (reply: Reply<Response>) => void;
    },
  ): void {
    if (sender.isCrashed) return;
    const { to, deadline, settle } = options;
    const call: Call<Request, Response> = {
      id: this.#calls++,
      sender,
      to,
      request: this.#options.copyRequest(options.request),
      timeoutMs: deadline - sender.clock.monotonicMs(),
      settle,
      sinceMs: this.#world.nowMs,
      isSettled: false,
      cancelTimeout: () => undefined,
    };
    this.#open.add(call);
    this.#world.trace("call ", call.id, " ", sender.address, " to ", to);
    if (call.timeoutMs <= 0 || this.#obstacle(sender.address, to) === "refusing") {
      this.#later(() => this.#return(call, { ok: false, reason: "refused" }));
      return;
    }
    call.cancelTimeout = sender.clock.at(deadline, () =>
      this.#settle(call, { ok: false, reason: "timeout" }),
    );
    const isRepeated = this.#random.chance(this.weather.duplicatePerThousand);
    const copies = isRepeated && this.#options.mayArriveTwice?.(options.request) !== false ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      // Whoever receives it may keep it, so that each delivery has a message of its own.
      this.#deliver(call, copy === 0 ? call.request : this.#options.copyRequest(call.request));
    }
    this.#rememberOne(call);
  }

  #deliver(call: Call<Request, Response>, request: Request): void {
    const receiver = this.#nodes.get(call.to);
    this.#carry({ from: call.sender.address, to: call.to, isAnswer: false }, call, () => {
      // What was sent to a process does not reach the one that took its place.
      if (receiver === undefined || receiver.isCrashed) return;
      if (receiver.gate === undefined) this.#arrive(call, receiver, request);
      else receiver.gate.run(() => this.#arrive(call, receiver, request));
    });
  }

  #rememberOne(call: Call<Request, Response>): void {
    if (this.#remembered === undefined) return;
    const { perThousand, deliver } = this.#remembered;
    if (this.#options.mayArriveTwice?.(call.request) === false) return;
    if (!this.#random.chance(perThousand)) return;
    const receiver = this.#nodes.get(call.to);
    const request = this.#options.copyRequest(call.request);
    deliver.push(() => {
      if (this.#nodes.get(call.to) === receiver) this.#deliver(call, request);
    });
  }

  #arrive(
    call: Call<Request, Response>,
    receiver: Node<Request, Response>,
    request: Request,
  ): void {
    this.#world.trace("call ", call.id, " arrives");
    const deadline = receiver.clock.monotonicMs() + call.timeoutMs;
    const question = { sinceMs: this.#world.nowMs };
    receiver.unanswered.add(question);
    receiver.receive(request, deadline, (response) => {
      invariant(receiver.unanswered.delete(question), "a request is answered at most once");
      if (receiver.isCrashed) return;
      const copy = this.#options.copyResponse(response);
      const { address } = call.sender;
      const way = { from: receiver.address, to: address, isAnswer: true };
      this.#carry(way, call, () => this.#return(call, { ok: true, response: copy }));
    });
  }

  /** A reply comes back to whoever called, when it runs. */
  #return(call: Call<Request, Response>, reply: Reply<Response>): void {
    const { gate } = call.sender;
    if (gate === undefined) this.#settle(call, reply);
    else gate.run(() => this.#settle(call, reply));
  }

  /** Lets a message travel; it may not arrive. Links are as they are when it is sent. */
  #carry(
    { from, to, isAnswer }: Way,
    call: { readonly timeoutMs: number },
    arrive: () => void,
  ): void {
    const { latency, lossPerThousand, latePerThousand } = this.weather;
    const isLost = this.#random.chance(lossPerThousand);
    const isLate = this.#random.chance(latePerThousand);
    const delayMs = this.#world.latency(latency, this.#random) * this.#slownessOf(from, to);
    const lateMs = isLate ? this.#random.below(Math.ceil(call.timeoutMs * 2) + 1) : 0;
    if (isLost || this.#obstacle(from, to) !== undefined) return;
    const breaks = this.#breaks;
    const streams = breaks === 0 ? undefined : this.#broken.get(streamOf(from, to, isAnswer));
    const pass = (): void => {
      if (this.#breaks === breaks) return arrive();
      if (this.#broken.get(streamOf(from, to, isAnswer)) === streams) arrive();
    };
    const held = this.#held.size === 0 ? undefined : this.#held.get(link(from, to));
    if (held !== undefined) held.push(pass);
    else this.#world.later(delayMs + lateMs, pass);
  }

  #slownessOf(from: PeerAddress, to: PeerAddress): number {
    if (this.#slowness.size === 0) return 1;
    return Math.max(this.#slowness.get(from) ?? 1, this.#slowness.get(to) ?? 1);
  }

  #settle(call: Call<Request, Response>, reply: Reply<Response>): void {
    // Whoever comes second - the timeout, a duplicate's response, a late one - is dropped.
    if (call.isSettled || call.sender.isCrashed) return;
    call.isSettled = true;
    call.cancelTimeout();
    this.#open.delete(call);
    this.#world.trace("call ", call.id, " ", reply.ok ? "answered" : reply.reason);
    call.settle(reply);
  }

  #later(run: () => void): void {
    this.#world.later(this.#world.latency(this.weather.latency, this.#random), run);
  }

  #obstacle(from: PeerAddress, to: PeerAddress): Cut | undefined {
    const node = this.#nodes.get(to);
    if (node === undefined) return "refusing";
    const cut = this.#cuts.size === 0 ? undefined : this.#cuts.get(link(from, to));
    return cut ?? this.#down.get(to);
  }
}

interface Way {
  readonly from: PeerAddress;
  readonly to: PeerAddress;
  readonly isAnswer: boolean;
}

/** The stream that a message belongs to: an answer goes back on the caller's. */
function streamOf(from: PeerAddress, to: PeerAddress, isAnswer: boolean): string {
  return isAnswer ? link(to, from) : link(from, to);
}

function link(from: PeerAddress, to: PeerAddress): string {
  return `${from} ${to}`;
}
