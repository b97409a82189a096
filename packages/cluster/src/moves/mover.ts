import {
  type ClusterDocument,
  type NodeId,
  type PartitionId,
  arrive,
  dropLeftovers,
} from "@coterie/core";
import type { Cancel, MonotonicMs } from "@coterie/ports";
import type { ChosenDocument } from "../agreement/change-document.ts";
import type { AntiEntropy } from "../anti-entropy/anti-entropy.ts";
import type { ExchangeProblem } from "../anti-entropy/anti-entropy-view.ts";
import type { Coordination } from "../coordinator/coordination.ts";
import { oneShot } from "../one-shot.ts";
import type { GainedFences } from "./gained-fences.ts";
import { MoveJobs, type MoveJob, isTurnOf, ownsStill } from "./move-jobs.ts";
import { type MoveCounts, type MovesView, newMoveCounts } from "./moves-view.ts";

/** Pause before a member that did not answer is asked again, doubled each time, in milliseconds. */
const retryMsMin = 250;
const retryMsMax = 15_000;
/** Where the two go by different versions: soon they do not. */
const staleMs = 100;
/** What is done is proposed together with what is done soon after; and so often at most. */
const gatherMs = 50;
const proposeMs = 500;
/** How long agreement may take, and the pause after it was not reached: that, or up to twice it. */
const agreeMs = 5000;
const disagreeMs = 1000;

export interface MoverParts extends Pick<
  Coordination,
  "self" | "clock" | "random" | "store" | "hints" | "ring"
> {
  readonly antiEntropy: Pick<AntiEntropy, "with">;
  readonly gained: GainedFences;
  readonly change: (
    change: (current: ClusterDocument) => ClusterDocument,
    deadline: MonotonicMs,
  ) => Promise<ChosenDocument>;
}

/** One member that something is to be exchanged with. */
interface Peer {
  failures: number;
  problem: ExchangeProblem | undefined;
  /** Ends the pause before the next exchange. */
  wake: () => void;
}

/**
 * Carries out this node's part of what the document says is to move (docs/internals/moves.md):
 * exchanges what it is getting with every owner, and says when it has all; exchanges what it has
 * left over with every owner, and says that it is dropped; throws away what it holds no more.
 *
 * It knows what to do from the document alone. One member that is silent holds up only what is
 * to be exchanged with it.
 */
export class Mover {
  readonly counts: MoveCounts = newMoveCounts();
  readonly #parts: MoverParts;
  readonly #jobs: MoveJobs;
  readonly #peers = new Map<NodeId, Peer>();
  readonly #running = new Set<Promise<void>>();
  #startedMs: MonotonicMs = 0;
  #keysAtStart = 0;
  #exchangesDone = 0;
  #isProposing = false;
  #proposeFromMs: MonotonicMs = 0;
  #cancelProposal: Cancel | undefined;
  #isDiscarding = false;
  #isStopped = false;

  constructor(parts: MoverParts) {
    this.#parts = parts;
    this.#jobs = new MoveJobs(parts.self);
  }

  /** Goes by the ring of now: to be called at a start, and whenever there is another one. */
  adopt(): void {
    if (this.#isStopped) return;
    const { clock, gained, ring } = this.#parts;
    if (this.#jobs.all.length === 0) {
      this.#startedMs = clock.monotonicMs();
      this.#keysAtStart = this.counts.keys;
      this.#exchangesDone = 0;
    }
    this.#jobs.adopt(ring());
    gained.refresh();
    this.wakeAll();
    this.#proposeSoon();
    if (!this.#isDiscarding) this.#run(this.#discardForeign());
  }

  /** Something says that a member may answer now. */
  wake(id: NodeId): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    peer.failures = 0;
    peer.wake();
  }

  /** Begins, or goes on with, whatever may be exchanged now. */
  wakeAll(): void {
    if (this.#isStopped) return;
    for (const id of this.#jobs.peers()) {
      const known = this.#peers.get(id);
      if (known !== undefined) known.wake();
      else this.#run(this.#serve(id));
    }
  }

  /** What was here of these partitions was thrown away: what was exchanged of them is in vain. */
  restart(partitions: readonly PartitionId[]): void {
    this.#jobs.restart(partitions);
    this.wakeAll();
  }

  view(): MovesView {
    const jobs = this.#jobs.all;
    let left = 0;
    for (const { peers, done } of jobs) left += peers.length - done.size;
    const elapsedMs = this.#parts.clock.monotonicMs() - this.#startedMs;
    const isMoving = jobs.length > 0 && elapsedMs > 0;
    const keys = this.counts.keys - this.#keysAtStart;
    const hasRate = isMoving && this.#exchangesDone > 0;
    return {
      awaited: jobs.filter(({ kind }) => kind === "arrive").length,
      leftover: jobs.filter(({ kind }) => kind === "drop").length,
      exchanges: this.#exchangesDone + left,
      exchangesDone: this.#exchangesDone,
      keysPerSecond: isMoving ? (keys * 1000) / elapsedMs : 0,
      etaMs: hasRate ? (elapsedMs * left) / this.#exchangesDone : undefined,
      problems: [...this.#peers]
        .flatMap(([peer, { problem }]) => {
          const partitions = this.#jobs.withPeer(peer).length;
          return problem === undefined ? [] : { peer, problem, partitions };
        })
        .toSorted((one, other) => (one.peer < other.peer ? -1 : 1)),
      counts: this.counts,
    };
  }

  /** Resolves when nothing of it is under way any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelProposal?.();
    this.#parts.gained.stop();
    for (const peer of this.#peers.values()) peer.wake();
    for (const each of this.#running) await each;
  }

  /** Exchanges with one member until nothing is left to be exchanged with it. */
  async #serve(id: NodeId): Promise<void> {
    const peer: Peer = { failures: 0, problem: undefined, wake: () => undefined };
    this.#peers.set(id, peer);
    while (!this.#isStopped) {
      const jobs = this.#jobs.withPeer(id);
      if (jobs.length === 0) break;
      if (this.#isPaused) {
        peer.problem = undefined;
        await this.#pause(peer);
        continue;
      }
      const ready = jobs.filter(({ kind, partition }) => {
        return kind === "drop" || this.#parts.gained.isReady(partition);
      });
      const now = ready.filter((job) => isTurnOf(id, job, (each) => this.#isFailing(each)));
      if (now.length === 0) {
        peer.problem = ready.length === 0 ? "not-ready" : undefined;
        await this.#pause(peer);
        continue;
      }
      peer.problem = await this.#exchange(id, now);
      this.#proposeSoon();
      if (this.#isStopped) break;
      const isGettingOn = this.#jobs.withPeer(id).length < jobs.length;
      peer.failures = peer.problem === undefined || isGettingOn ? 0 : peer.failures + 1;
      if (peer.problem !== undefined || !isGettingOn) await this.#pause(peer);
    }
    this.#peers.delete(id);
    // Some more may have come in the turn in which this ended.
    if (!this.#isStopped && this.#jobs.withPeer(id).length > 0) this.wakeAll();
  }

  /** An operator has all that moves stand still. */
  get #isPaused(): boolean {
    return this.#parts.ring().document.paused === true;
  }

  #isFailing(id: NodeId): boolean {
    return (this.#peers.get(id)?.failures ?? 0) > 0;
  }

  async #exchange(id: NodeId, jobs: readonly MoveJob[]): Promise<ExchangeProblem | undefined> {
    const exchanges = this.#parts.antiEntropy.with(id);
    if (exchanges === undefined) return "stopped";
    const byPartition = new Map(jobs.map((job) => [job.partition, job]));
    const { problem, bytes } = await exchanges.exchange([...byPartition.keys()], {
      isStopped: () => this.#isPaused,
      // Who adds a node wants the room that it brings, most of all where there is none left.
      isUrgent: true,
      onComplete: (partition) => {
        const job = byPartition.get(partition);
        job?.done.add(id);
        this.#exchangesDone += 1;
        this.#proposeSoon();
        // The other owners have waited for it.
        if (job?.done.size === 1) this.wakeAll();
      },
      onExchanged: () => {
        this.counts.keys += 1;
      },
    });
    this.counts.bytes += bytes;
    if (this.#isPaused) return undefined;
    if (problem !== undefined) this.counts.failed += 1;
    return problem;
  }

  #proposeSoon(): void {
    const isBusy = this.#isProposing || this.#cancelProposal !== undefined;
    if (this.#isStopped || this.#isPaused || isBusy) return;
    const kinds = ["arrive", "drop"] as const;
    const hasFinished = kinds.some((kind) => this.#jobs.finished(kind).length > 0);
    if (!hasFinished && !this.#isIdle()) return;
    const { clock } = this.#parts;
    const atMs = Math.max(clock.monotonicMs() + gatherMs, this.#proposeFromMs);
    this.#cancelProposal = clock.at(atMs, () => {
      this.#cancelProposal = undefined;
      if (!this.#isStopped) this.#run(this.#propose());
    });
  }

  async #propose(): Promise<void> {
    if (this.#isPaused) return;
    const { change, clock, random, ring, self: id } = this.#parts;
    const arrived = this.#arrived();
    const dropped = arrived.length > 0 ? [] : this.#dropped();
    const isGoing = this.#isIdle() && this.#parts.hints.isEmpty;
    if (arrived.length === 0 && dropped.length === 0 && !isGoing) {
      this.#proposeFromMs = clock.monotonicMs() + proposeMs;
      return this.#proposeSoon();
    }
    const { entered } = ring().document;
    this.#isProposing = true;
    const chosen = await change(
      (current) =>
        arrived.length > 0
          ? arrive(current, { id, partitions: arrived, entered })
          : dropLeftovers(current, id, dropped),
      clock.monotonicMs() + agreeMs,
    );
    this.#isProposing = false;
    if (chosen.ok) {
      this.counts.arrived += arrived.length;
      this.counts.dropped += dropped.length;
    }
    const pauseMs = chosen.ok ? proposeMs : disagreeMs + random.below(disagreeMs);
    this.#proposeFromMs = clock.monotonicMs() + pauseMs;
    this.#proposeSoon();
  }

  /** Partitions of which this node has got all, and has it still. */
  #arrived(): readonly PartitionId[] {
    const { isWhole, partitions, tokens } = this.#parts.store.damage();
    if (!isWhole) return [];
    const damaged = new Set([...partitions, ...tokens.map(({ partition }) => partition)]);
    return this.#jobs.finished("arrive").filter((partition) => !damaged.has(partition));
  }

  /**
   * Partitions of which others have got all that this node has left. One that leaves drops its
   * copies when it has nothing else to do: with the last one it is no member any more, and what it
   * holds for others, or owes them, would be gone.
   */
  #dropped(): readonly PartitionId[] {
    const { hints, ring, self } = this.#parts;
    const finished = this.#jobs.finished("drop");
    if (ring().member(self)?.departure !== "leaving") return finished;
    const isLast = finished.length === this.#jobs.all.length && !ownsStill(ring().document, self);
    return isLast && hints.isEmpty ? finished : [];
  }

  /** True for one that leaves and has no copy to hand over: it goes with its next drop, of none. */
  #isIdle(): boolean {
    const { ring, self } = this.#parts;
    const isLeaving = ring().member(self)?.departure === "leaving";
    return isLeaving && this.#jobs.all.length === 0 && !ownsStill(ring().document, self);
  }

  /** Throws away what is here of partitions that this node holds no more, or never did. */
  async #discardForeign(): Promise<void> {
    const { gained, ring, self, store } = this.#parts;
    this.#isDiscarding = true;
    const { partitions } = ring().document.settings;
    let hasFailed = false;
    for (let partition = 0; partition < partitions && !this.#isStopped; partition += 1) {
      if (ring().isHolder(self, partition) || this.#isEmpty(partition)) continue;
      await gained.whileDropping(partition, async () => {
        if (await store.discard(partition)) store.markPartitionWhole(partition);
        else hasFailed = true;
      });
    }
    this.#isDiscarding = false;
    if (!hasFailed || this.#isStopped) return;
    const { clock } = this.#parts;
    clock.at(clock.monotonicMs() + retryMsMax, () => this.adopt());
  }

  #isEmpty(partition: PartitionId): boolean {
    return this.#parts.store.root(partition, 0).count === 0;
  }

  /** Waits before the next exchange with a member, or until something happens. */
  async #pause(peer: Peer): Promise<void> {
    const { clock } = this.#parts;
    const { promise, settle } = oneShot<void>();
    const doublings = Math.min(Math.max(0, peer.failures - 1), 10);
    const isStale = peer.problem === "stale-epoch";
    const waitMs = this.#isPaused ? retryMsMax : retryMsMin * 2 ** doublings;
    const pauseMs = isStale ? staleMs : Math.min(retryMsMax, waitMs);
    const cancel = clock.at(clock.monotonicMs() + pauseMs, settle);
    peer.wake = () => {
      cancel();
      settle();
    };
    await promise;
    peer.wake = () => undefined;
  }

  #run(story: Promise<void>): void {
    const running = story.then(() => {
      this.#running.delete(running);
    });
    this.#running.add(running);
  }
}
