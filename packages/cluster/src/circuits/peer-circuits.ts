import {
  Circuit,
  type CircuitState,
  type Member,
  type PeerAddress,
  circuitDefaults,
} from "@coterie/core";
import type { Cancel, Clock, MonotonicMs, Network, Reply } from "@coterie/ports";
import type { PeerRequest, PeerResponse } from "../messages.ts";
import type { CircuitCounts, PeerView } from "./peer-view.ts";

interface PeerCircuitsParts {
  readonly clock: Clock;
  /** What carries the calls. */
  readonly network: Network<PeerRequest, PeerResponse>;
  /** Asks a peer whether it is there, past the circuits; settles once, not within the call. */
  readonly ping: (
    address: PeerAddress,
    deadline: MonotonicMs,
    settle: (isAnswered: boolean) => void,
  ) => void;
  /** A peer that was taken for silent answers again. */
  readonly onClosed: (address: PeerAddress) => void;
  /** A peer goes by later owners than the request that it refused, which had this epoch. */
  readonly onStale: (epoch: number) => void;
}

type Settle = (reply: Reply<PeerResponse>) => void;

/** So many calls are given up in one turn. */
const givenUpAtOnce = 8;

/** A call that is under way; without `settle` its caller has been told how it ended. */
interface OpenCall {
  settle: Settle | undefined;
  /** Its place among the peer's; what is last there takes it when this one leaves. */
  place: number;
}

interface Peer {
  readonly address: PeerAddress;
  readonly circuit: Circuit;
  readonly calls: OpenCall[];
  timerMs: number;
  cancelTimer: Cancel;
}

/**
 * The network, with a circuit for each peer: calls to one that is silent are refused at once, and
 * those that it has already are given up, a few in each turn. Everything that a node asks of others
 * goes through here, background work too; not what members say of each other, which keeps circuits.
 */
export class PeerCircuits implements Network<PeerRequest, PeerResponse> {
  readonly #parts: PeerCircuitsParts;
  readonly #peers = new Map<PeerAddress, Peer>();
  readonly #counts = { opened: 0, refused: 0, pings: 0 };
  #isStopped = false;

  constructor(parts: PeerCircuitsParts) {
    this.#parts = parts;
  }

  get counts(): CircuitCounts {
    return this.#counts;
  }

  view(members: readonly Pick<Member, "id" | "address">[]): readonly PeerView[] {
    return members.map(({ id, address }) => {
      return { id, isReachable: this.isReachable(address), circuit: this.stateOf(address) };
    });
  }

  stateOf(address: PeerAddress): CircuitState {
    return this.#peers.get(address)?.circuit.state ?? "closed";
  }

  isReachable(to: PeerAddress): boolean {
    // Asked in either case: whoever is interested has broken streams opened again.
    const isReachable = this.#parts.network.isReachable(to);
    const peer = this.#peers.get(to);
    if (peer === undefined || peer.circuit.isPassable) return isReachable;
    this.#want(peer);
    return false;
  }

  call(to: PeerAddress, request: PeerRequest, deadline: MonotonicMs, settle: Settle): void {
    const { clock, network } = this.#parts;
    const peer = this.#peerAt(to);
    const { circuit, calls } = peer;
    if (!circuit.isPassable) {
      this.#counts.refused += 1;
      this.#want(peer);
      clock.afterTurn(() => settle({ ok: false, reason: "refused" }));
      return;
    }
    const call: OpenCall = { settle, place: calls.length };
    calls.push(call);
    circuit.began(clock.monotonicMs());
    this.#arm(peer);
    network.call(to, request, deadline, (reply) => {
      if (isStale(reply) && "stamp" in request) this.#parts.onStale(request.stamp.epoch);
      this.#end(peer, call, reply);
    });
  }

  /** Something suggests that a peer is back: if it was taken for silent, it is pinged at once. */
  retry(address: PeerAddress): void {
    if (this.stateOf(address) === "open") this.doubt(address);
  }

  /** Something suggests that a peer is gone: it is pinged at once. */
  doubt(address: PeerAddress): void {
    if (this.#isStopped) return;
    const peer = this.#peerAt(address);
    peer.circuit.doubt(this.#parts.clock.monotonicMs());
    this.#arm(peer);
  }

  /** Nobody is pinged any more. */
  stop(): void {
    this.#isStopped = true;
    for (const peer of this.#peers.values()) peer.cancelTimer();
  }

  #end(peer: Peer, call: OpenCall, reply: Reply<PeerResponse>): void {
    const { circuit, calls } = peer;
    const { clock, network } = this.#parts;
    leave(calls, call);
    const wasOpen = !circuit.isPassable;
    if (reply.ok) circuit.answered(clock.monotonicMs());
    else if (reply.reason === "timeout") circuit.expired();
    else if (network.isReachable(peer.address)) circuit.refusedOverBudget();
    else circuit.refused();
    this.#noteClosed(peer, wasOpen);
    this.#arm(peer);
    const { settle } = call;
    call.settle = undefined;
    settle?.(reply);
  }

  #want(peer: Peer): void {
    peer.circuit.wanted(this.#parts.clock.monotonicMs());
    this.#arm(peer);
  }

  /** One timer for each peer: it fires in time for what is due, or earlier, and is set again. */
  #arm(peer: Peer): void {
    const { dueMs } = peer.circuit;
    if (dueMs >= peer.timerMs || this.#isStopped) return;
    peer.cancelTimer();
    peer.timerMs = dueMs;
    peer.cancelTimer = this.#parts.clock.at(dueMs, () => {
      peer.timerMs = Number.POSITIVE_INFINITY;
      this.#tick(peer);
    });
  }

  #tick(peer: Peer): void {
    const { clock, ping } = this.#parts;
    const { address, circuit } = peer;
    const now = clock.monotonicMs();
    if (!this.#isStopped && circuit.tick(now) === "ping") {
      this.#counts.pings += 1;
      ping(address, now + circuitDefaults.pingMs, (isAnswered) => this.#pinged(peer, isAnswered));
    }
    this.#arm(peer);
  }

  #pinged(peer: Peer, isAnswered: boolean): void {
    const wasOpen = !peer.circuit.isPassable;
    if (peer.circuit.pinged(isAnswered, this.#parts.clock.monotonicMs()) === "opened") {
      this.#counts.opened += 1;
      this.#giveUp([...peer.calls]);
    }
    this.#noteClosed(peer, wasOpen);
    this.#arm(peer);
  }

  #noteClosed({ address, circuit }: Peer, wasOpen: boolean): void {
    if (wasOpen && circuit.isPassable && !this.#isStopped) this.#parts.onClosed(address);
  }

  /**
   * Whoever waits for these is told that there is no answer; the calls themselves go on. Of a peer
   * that has said nothing for a second there are thousands: what their callers do then takes a node
   * tens of milliseconds together, in which it would answer nobody else.
   */
  #giveUp(waiting: OpenCall[]): void {
    for (const call of waiting.splice(0, givenUpAtOnce)) {
      const { settle } = call;
      call.settle = undefined;
      settle?.({ ok: false, reason: "timeout" });
    }
    if (waiting.length > 0) this.#parts.clock.afterTurn(() => this.#giveUp(waiting));
  }

  #peerAt(address: PeerAddress): Peer {
    const known = this.#peers.get(address);
    if (known !== undefined) return known;
    const peer: Peer = {
      address,
      circuit: new Circuit(circuitDefaults),
      calls: [],
      timerMs: Number.POSITIVE_INFINITY,
      cancelTimer: () => {},
    };
    this.#peers.set(address, peer);
    return peer;
  }
}

/** A `Set` would be made anew every so many calls, to be rid of those that have left. */
function leave(calls: OpenCall[], call: OpenCall): void {
  const last = calls.pop() as OpenCall;
  if (last === call) return;
  calls[call.place] = last;
  last.place = call.place;
}

function isStale(reply: Reply<PeerResponse>): boolean {
  return reply.ok && reply.response.kind === "refused" && reply.response.code === "stale-epoch";
}
