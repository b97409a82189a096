import { HedgeBudget, type Member, type NodeId, type PeerAddress, PeerLoad } from "@coterie/core";
import type { MonotonicMs, Network, Random } from "@coterie/ports";
import type { PeerRequest, PeerResponse } from "../messages.ts";
import type { CoordinationTuning } from "./coordination-tuning.ts";

/** Least silence after which a read is hedged, unless the configuration says otherwise. */
const hedgeMsMinDefault = 5;
const hedgePercentMaxDefault = 10;
/** A peer is avoided when a read there would take this many times as long as at the best one, */
const slowFactor = 3;
/** and so many milliseconds more: what is quick anyway needs no detour. */
const slowMsMin = 3;
/** How often an avoided peer is asked all the same, to find out that it has recovered. */
const probeMsMin = 150;
const probeMsRange = 100;

interface ReadRoutingParts {
  readonly self: NodeId;
  readonly random: Random;
  readonly network: Network<PeerRequest, PeerResponse>;
  readonly tuning: CoordinationTuning;
  isHealthy(id: NodeId): boolean;
}

/** Of the unhealthy and unreachable, who are asked last. */
const rankMost = 3;

/** A peer, as seen by this node's reads. */
interface Route {
  readonly load: PeerLoad;
  probeAtMs: MonotonicMs;
}

/**
 * Whom reads ask, in which order, and when they ask one more. Owners are asked in the ring's order,
 * so that a key is read at the same replicas and stays in their caches; who is slow, silent, or
 * held for dead comes last. Learnt from this node's own reads alone.
 */
export class ReadRouting {
  readonly #parts: ReadRoutingParts;
  readonly #routes = new Map<PeerAddress, Route>();
  readonly #budget: HedgeBudget;
  readonly #hedgeMsMin: number;
  readonly #hedgeMsMax: number;

  constructor(parts: ReadRoutingParts) {
    this.#parts = parts;
    const { hedgeAfterMs, hedgeMsMin, hedgePercentMax } = parts.tuning;
    this.#hedgeMsMax = hedgeAfterMs;
    this.#hedgeMsMin = Math.min(hedgeMsMin ?? hedgeMsMinDefault, hedgeAfterMs);
    this.#budget = new HedgeBudget(hedgePercentMax ?? hedgePercentMaxDefault);
  }

  /** What is known of the peer at `address`. */
  loadOf(address: PeerAddress): PeerLoad {
    return this.#routeTo(address).load;
  }

  /** By peer, how long 95 of 100 reads took there at most. */
  p95Ms(): ReadonlyMap<PeerAddress, number> {
    return new Map([...this.#routes].map(([address, { load }]) => [address, load.p95Ms]));
  }

  /**
   * `members` in the order to ask them: this node, those that answer as usual, the slow and silent,
   * then the unhealthy and unreachable. The list itself, where it is in that order already.
   */
  order(members: readonly Member[], nowMs: MonotonicMs): readonly Member[] {
    // Nearly always one look at each member finds them in order, and nobody slow.
    let isSorted = true;
    let last = 0;
    let bestMs = Number.POSITIVE_INFINITY;
    let worstMs = 0;
    for (const member of members) {
      const rank = this.#rank(member, Number.POSITIVE_INFINITY, nowMs);
      if (rank < last) isSorted = false;
      last = rank;
      if (rank !== 1) continue;
      const { costMs } = this.#routeTo(member.address).load;
      if (costMs > worstMs) worstMs = costMs;
      if (costMs > 0 && costMs < bestMs) bestMs = costMs;
    }
    if (isSorted && !isSlow(worstMs, bestMs)) return members;
    const ranks = members.map((member) => this.#rank(member, bestMs, nowMs));
    const ordered: Member[] = [];
    for (let rank = 0; rank <= rankMost; rank += 1) {
      ordered.push(...members.filter((_, at) => ranks[at] === rank));
    }
    return ordered;
  }

  /**
   * Of the members that a read in this order leaves out, one that is avoided for its slowness and
   * has not been looked at for a while. It is asked as well, and not waited for.
   */
  dueProbe(ordered: readonly Member[], asked: number, nowMs: MonotonicMs): Member | undefined {
    const bestMs = this.#bestMs(ordered);
    for (const member of ordered.slice(asked)) {
      if (this.#rank(member, bestMs, nowMs) !== 2) continue;
      const route = this.#routeTo(member.address);
      if (nowMs < route.probeAtMs) continue;
      route.probeAtMs = nowMs + probeMsMin + this.#parts.random.below(probeMsRange);
      return member;
    }
    return undefined;
  }

  /** A read begins that asks the first `asked` of `ordered`: how long to wait for them. */
  begin(ordered: readonly Member[], asked: number): number {
    this.#budget.earn();
    let ms = 0;
    for (let index = 0; index < asked; index += 1) {
      const member = ordered[index];
      if (member === undefined || member.id === this.#parts.self) continue;
      ms = Math.max(ms, this.#routeTo(member.address).load.p95Ms);
    }
    // A read of this node's own copy alone waits for a disk, whose usual latency is not known.
    if (ms === 0) return this.#hedgeMsMax;
    return Math.min(this.#hedgeMsMax, Math.max(this.#hedgeMsMin, ms));
  }

  /**
   * Whether a read may ask one more because `silent` have not answered it. Beyond the budget only
   * if one of them answers nobody: then it stands still, and is asked nothing more.
   */
  mayHedge(silent: readonly Member[], nowMs: MonotonicMs): boolean {
    const isStuck = ({ id, address }: Member): boolean =>
      id !== this.#parts.self && this.loadOf(address).isSilent(nowMs, this.#hedgeMsMax);
    return silent.some(isStuck) || this.#budget.take();
  }

  /** What a read costs at the best of the members that have been read from. */
  #bestMs(members: readonly Member[]): number {
    let bestMs = Number.POSITIVE_INFINITY;
    for (const { id, address } of members) {
      if (id === this.#parts.self) continue;
      const { costMs } = this.#routeTo(address).load;
      if (costMs > 0 && costMs < bestMs) bestMs = costMs;
    }
    return bestMs;
  }

  #rank(member: Member, bestMs: number, nowMs: MonotonicMs): 0 | 1 | 2 | 3 {
    const { self, network } = this.#parts;
    if (member.id === self) return 0;
    // Asked in either case: whoever is interested has broken streams opened again.
    const isReachable = network.isReachable(member.address);
    if (!isReachable || !this.#parts.isHealthy(member.id)) return 3;
    const { load } = this.#routeTo(member.address);
    return isSlow(load.costMs, bestMs) || load.isSilent(nowMs, this.#hedgeMsMax) ? 2 : 1;
  }

  #routeTo(address: PeerAddress): Route {
    const known = this.#routes.get(address);
    if (known !== undefined) return known;
    const route = { load: new PeerLoad(this.#hedgeMsMax), probeAtMs: 0 };
    this.#routes.set(address, route);
    return route;
  }
}

/** True if a read that costs so much is better sent to the best. */
function isSlow(costMs: number, bestMs: number): boolean {
  return costMs > bestMs * slowFactor + slowMsMin;
}
