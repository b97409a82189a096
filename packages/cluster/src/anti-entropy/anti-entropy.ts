import type { NodeId, PartitionId } from "@coterie/core";
import type { Cancel, MonotonicMs } from "@coterie/ports";
import type { Coordination } from "../coordinator/coordination.ts";
import { Pace, type PaceParts } from "../handoff/pace.ts";
import type {
  AntiEntropyCounts,
  AntiEntropyEvent,
  AntiEntropyView,
  RepairStarted,
} from "./anti-entropy-view.ts";
import { PeerExchanges } from "./peer-exchanges.ts";
import { Repair } from "./repair.ts";

/** The first exchange with each peer comes within so long after a start, in milliseconds. */
const firstMsMax = 5000;
/** After one that was not completed, the next comes no later than this, in milliseconds. */
const againMsMax = 15_000;

export interface AntiEntropyParts
  extends
    PaceParts,
    Pick<
      Coordination,
      "self" | "clock" | "random" | "store" | "fences" | "replica" | "network" | "ring"
    > {
  /** How often each peer's turn comes; 0: only when something asks for it. */
  readonly intervalMs: number;
  readonly onEvent: (event: AntiEntropyEvent) => void;
}

/**
 * Compares this node's copies with those of everybody else who takes them, again and again, and
 * makes both equal (docs/internals/anti-entropy.md). Every node does so for itself: what it says of
 * its lag depends on nobody else's word.
 */
export class AntiEntropy {
  readonly counts: AntiEntropyCounts = { completed: 0, failed: 0, keysExchanged: 0, bytes: 0 };
  readonly #parts: AntiEntropyParts;
  readonly #pace: Pace;
  readonly #peers = new Map<NodeId, PeerExchanges>();
  #repair: Repair | undefined;
  #repairs = 0;
  #repairing: Promise<void> = Promise.resolve();
  #cancelTimer: Cancel = () => undefined;
  #isStopped = false;

  constructor(parts: AntiEntropyParts) {
    this.#parts = parts;
    this.#pace = new Pace(parts);
  }

  begin(): void {
    this.#arm();
  }

  /** The peer is there again: its turn comes now. */
  wake(peer: NodeId): void {
    const known = this.#peers.get(peer);
    if (known === undefined || this.#parts.intervalMs === 0) return;
    known.dueMs = Math.min(known.dueMs, this.#now + this.#phaseMs());
    this.#arm();
  }

  /** Starts an exchange of partitions that this node owns with all their other owners. */
  repair(partitions: readonly PartitionId[] | "all"): RepairStarted {
    const { ring, self, clock, store } = this.#parts;
    if (this.#isStopped) {
      return { ok: false, code: "not-ready", message: `${self} is shutting down` };
    }
    if (this.#repair?.isRunning === true) {
      return { ok: false, code: "busy", message: `${self} repairs already` };
    }
    const own = ring().partitionsOf(self);
    const wanted = partitions === "all" ? own : [...new Set(partitions)];
    const foreign = wanted.find((partition) => !own.includes(partition));
    if (foreign !== undefined) {
      const message = `${self} does not own partition ${foreign}`;
      return { ok: false, code: "not-owner", message };
    }
    const peers = this.#currentPeers().filter(({ peer }) =>
      wanted.some((partition) => ring().isOwner(peer, partition)),
    );
    this.#repairs += 1;
    const number = this.#repairs;
    const repair = new Repair({ number, clock, store, partitions: wanted, peers });
    this.#repair = repair;
    this.#repairing = repair
      .run(() => this.#isStopped)
      .then(() => {
        this.#parts.onEvent({ kind: "repaired", repair: repair.view() });
      });
    return { ok: true, number, partitions: wanted.length, peers: peers.length };
  }

  /** Exchanges all that this node holds with all other holders; true if it was all completed. */
  async exchangeAll(): Promise<boolean> {
    let isComplete = true;
    for (const each of this.#currentPeers()) {
      if (this.#isStopped) return false;
      const { problem } = await each.exchange(each.held);
      if (problem !== undefined) isComplete = false;
    }
    return isComplete;
  }

  /** The exchanges with a peer; `undefined` if it shares nothing with this node. */
  with(peer: NodeId): PeerExchanges | undefined {
    return this.#currentPeers().find((each) => each.peer === peer);
  }

  view(): AntiEntropyView {
    const now = this.#now;
    let oldest: AntiEntropyView["oldest"];
    let sinceMs = now;
    const peers = this.#currentPeers();
    for (const each of peers) {
      const found = each.oldest();
      if (found === undefined || (oldest !== undefined && found.sinceMs >= sinceMs)) continue;
      oldest = { partition: found.partition, peer: each.peer };
      sinceMs = found.sinceMs;
    }
    return {
      intervalMs: this.#parts.intervalMs,
      lagMs: now - sinceMs,
      oldest,
      peers: peers
        .map((each) => each.view(now))
        .toSorted((left, right) => (left.peer < right.peer ? -1 : 1)),
      repair: this.#repair?.view(),
      counts: this.counts,
    };
  }

  /** Resolves when nothing of it is under way any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTimer();
    for (const each of this.#peers.values()) await each.whenIdle();
    await this.#repairing;
  }

  get #now(): MonotonicMs {
    return this.#parts.clock.monotonicMs();
  }

  /** The other holders of what this node holds, as the document of now says. */
  #currentPeers(): readonly PeerExchanges[] {
    const { ring, self, replica, intervalMs } = this.#parts;
    const current: PeerExchanges[] = [];
    for (const { id, departure } of ring().document.members) {
      // Who is gone for good is asked nothing.
      if (id === self || departure === "removed") continue;
      if (replica.sources.of(id).shared.length === 0) continue;
      let known = this.#peers.get(id);
      if (known === undefined) {
        const dueMs = intervalMs === 0 ? Infinity : this.#now + this.#phaseMs();
        known = new PeerExchanges(id, dueMs, {
          ...this.#parts,
          pace: this.#pace,
          counts: this.counts,
          isStopped: () => this.#isStopped,
        });
        this.#peers.set(id, known);
      }
      current.push(known);
    }
    return current;
  }

  /** Peers do not all come at once, here or elsewhere. */
  #phaseMs(): number {
    return this.#parts.random.below(Math.max(1, Math.min(this.#parts.intervalMs, firstMsMax)));
  }

  #arm(): void {
    if (this.#parts.intervalMs === 0 || this.#isStopped) return;
    this.#cancelTimer();
    const { clock } = this.#parts;
    const now = this.#now;
    let nextMs = now + this.#parts.intervalMs;
    for (const each of this.#currentPeers()) {
      if (!each.isRunning) nextMs = Math.min(nextMs, Math.max(now, each.dueMs));
    }
    this.#cancelTimer = clock.at(nextMs, () => this.#tick());
  }

  #tick(): void {
    if (this.#isStopped) return;
    for (const each of this.#currentPeers()) {
      if (each.isRunning || each.dueMs > this.#now) continue;
      void this.#exchange(each);
    }
    this.#arm();
  }

  async #exchange(each: PeerExchanges): Promise<void> {
    const { intervalMs } = this.#parts;
    each.dueMs = this.#now + intervalMs;
    const { problem } = await each.exchange(each.shared);
    if (problem !== undefined) {
      each.dueMs = Math.min(each.dueMs, this.#now + Math.min(intervalMs, againMsMax));
    }
    this.#arm();
  }
}
