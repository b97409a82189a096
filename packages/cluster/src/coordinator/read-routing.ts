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
/**
 * Reads that could as well ask one peer as another ask the same one for so long, and so many of
 * them: they share a message there and back, and a turn of three event loops. More would gain
 * little, and make one peer's turn long while the others have nothing to do.
 */
const sharedMs = 2;
const sharedReadsMax = 64;

interface ReadRoutingParts {
  readonly self: NodeId;
  readonly random: Random;
  readonly network: Network<PeerRequest, PeerResponse>;
  readonly tuning: CoordinationTuning;
  isHealthy(id: NodeId): boolean;
}

/** Whom a read asks earlier, and whom later; among those of one rank it is the ring's order. */
const rankSelf = 0;
const rankShared = 1;
const rankUsual = 2;
const rankSlow = 3;
const rankAway = 4;
type Rank =
  | typeof rankSelf
  | typeof rankShared
  | typeof rankUsual
  | typeof rankSlow
  | typeof rankAway;

/** A peer, as seen by this node's reads. */
interface Route {
  readonly load: PeerLoad;
  probeAtMs: MonotonicMs;
  /** Until when reads prefer it to its equals, and how many more of them. */
  sharedUntilMs: MonotonicMs;
  sharedReadsLeft: number;
}

/**
 * Whom reads ask, in which order, and when they ask one more. A node without a copy asks owners in
 * the ring's order, so that a key is read at the same replicas and stays in their caches; one that
 * has a copy asks others only for the version of theirs, which is in their index, so it asks whom
 * it asks anyway. Who is slow, silent, or held for dead comes last. Learnt from this node's own
 * reads alone.
 */
export class ReadRouting {
  readonly #parts: ReadRoutingParts;
  readonly #routes = new Map<PeerAddress, Route>();
  /** Of this node's own copies that are being synced: they wait for its disk, all at once. */
  readonly #own: PeerLoad;
  readonly #budget: HedgeBudget;
  readonly #hedgeMsMin: number;
  readonly #hedgeMsMax: number;

  constructor(parts: ReadRoutingParts) {
    this.#parts = parts;
    const { hedgeAfterMs, hedgeMsMin, hedgePercentMax } = parts.tuning;
    this.#hedgeMsMax = hedgeAfterMs;
    this.#hedgeMsMin = Math.min(hedgeMsMin ?? hedgeMsMinDefault, hedgeAfterMs);
    this.#own = new PeerLoad(hedgeAfterMs);
    this.#budget = new HedgeBudget(hedgePercentMax ?? hedgePercentMaxDefault);
  }

  /** What is known of the peer at `address`. */
  loadOf(address: PeerAddress): PeerLoad {
    return this.#routeTo(address).load;
  }

  /** What is known of this node's own copies, where they are still being synced. */
  get ownLoad(): PeerLoad {
    return this.#own;
  }

  /** By peer, how long 95 of 100 reads took there at most. */
  p95Ms(): ReadonlyMap<PeerAddress, number> {
    return new Map([...this.#routes].map(([address, { load }]) => [address, load.p95Ms]));
  }

  /**
   * `members` in the order to ask them: this node, if it is one of them whom its reads of this
   * moment ask, those that answer as usual, the slow and silent, then the unhealthy and
   * unreachable. The list itself, where it is in that order already.
   */
  order(members: readonly Member[], nowMs: MonotonicMs): readonly Member[] {
    const isShared = this.#isAmong(members);
    // Nearly always one look at each member finds nobody slow.
    let isSorted = true;
    let last = 0;
    let bestMs = Number.POSITIVE_INFINITY;
    let worstMs = 0;
    for (const member of members) {
      const rank = this.#rank(member, Number.POSITIVE_INFINITY, isShared, nowMs);
      if (rank < last) isSorted = false;
      last = rank;
      if (rank !== rankUsual) continue;
      const { costMs } = this.#routeTo(member.address).load;
      if (costMs > worstMs) worstMs = costMs;
      if (costMs > 0 && costMs < bestMs) bestMs = costMs;
    }
    const isUsual = isSorted && !isSlow(worstMs, bestMs);
    const ordered = isUsual ? members : this.#sorted(members, bestMs, isShared, nowMs);
    if (isShared) this.#share(ordered[1], nowMs);
    return ordered;
  }

  #isAmong(members: readonly Member[]): boolean {
    for (const { id } of members) if (id === this.#parts.self) return true;
    return false;
  }

  #sorted(
    members: readonly Member[],
    bestMs: number,
    isShared: boolean,
    nowMs: MonotonicMs,
  ): readonly Member[] {
    const ranks = members.map((member) => this.#rank(member, bestMs, isShared, nowMs));
    const ordered: Member[] = [];
    for (let rank = rankSelf; rank <= rankAway; rank += 1) {
      for (let at = 0; at < members.length; at += 1) {
        if (ranks[at] === rank) ordered.push(members[at] as Member);
      }
    }
    return ordered;
  }

  /** The first peer that a read asks is asked by those that come with it. */
  #share(member: Member | undefined, nowMs: MonotonicMs): void {
    if (member === undefined) return;
    const route = this.#routeTo(member.address);
    if (nowMs >= route.sharedUntilMs) {
      route.sharedUntilMs = nowMs + sharedMs;
      route.sharedReadsLeft = sharedReadsMax;
    }
    route.sharedReadsLeft -= 1;
  }

  /**
   * Of the members that a read in this order leaves out, one that is avoided for its slowness and
   * has not been looked at for a while. It is asked as well, and not waited for.
   */
  dueProbe(ordered: readonly Member[], asked: number, nowMs: MonotonicMs): Member | undefined {
    const bestMs = this.#bestMs(ordered);
    for (let at = asked; at < ordered.length; at += 1) {
      const member = ordered[at] as Member;
      if (this.#rank(member, bestMs, true, nowMs) !== rankSlow) continue;
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

  /**
   * Whether this node's own copy, which is still being synced, is likely to take so much longer
   * than that of the best of `members` that one more is asked at once: its disk is slow.
   */
  isSlowHere(members: readonly Member[], nowMs: MonotonicMs): boolean {
    if (this.#own.isSilent(nowMs, this.#hedgeMsMax)) return true;
    return isSlow(this.#own.usualMs, this.#usualMsAtBest(members));
  }

  /** How long reads take at the best of the members, with all that it is asked meanwhile. */
  #usualMsAtBest(members: readonly Member[]): number {
    let bestMs = Number.POSITIVE_INFINITY;
    for (const { id, address } of members) {
      if (id === this.#parts.self) continue;
      const { usualMs } = this.#routeTo(address).load;
      if (usualMs > 0 && usualMs < bestMs) bestMs = usualMs;
    }
    return bestMs;
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

  /**
   * @param bestMs what a read costs at the best of those that it could ask
   * @param isShared reads of one moment may ask the same one
   */
  #rank(member: Member, bestMs: number, isShared: boolean, nowMs: MonotonicMs): Rank {
    const { self, network } = this.#parts;
    if (member.id === self) return rankSelf;
    // Asked in either case: whoever is interested has broken streams opened again.
    const isReachable = network.isReachable(member.address);
    if (!isReachable || !this.#parts.isHealthy(member.id)) return rankAway;
    const { load, sharedReadsLeft, sharedUntilMs } = this.#routeTo(member.address);
    if (load.isSilent(nowMs, this.#hedgeMsMax)) return rankSlow;
    if (isShared && sharedReadsLeft > 0 && nowMs < sharedUntilMs) return rankShared;
    return isSlow(load.costMs, bestMs) ? rankSlow : rankUsual;
  }

  #routeTo(address: PeerAddress): Route {
    const known = this.#routes.get(address);
    if (known !== undefined) return known;
    const route = {
      load: new PeerLoad(this.#hedgeMsMax),
      probeAtMs: 0,
      sharedUntilMs: 0,
      sharedReadsLeft: 0,
    };
    this.#routes.set(address, route);
    return route;
  }
}

/** True if a read that costs so much is better sent to the best. */
function isSlow(costMs: number, bestMs: number): boolean {
  return costMs > bestMs * slowFactor + slowMsMin;
}
