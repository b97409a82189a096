import type { NodeId, PartitionId } from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import type { Coordination } from "../coordinator/coordination.ts";
import type { Pace } from "../handoff/pace.ts";
import { Payment } from "../handoff/payment.ts";
import type {
  AntiEntropyCounts,
  AntiEntropyEvent,
  ExchangeProblem,
  PeerExchangeView,
} from "./anti-entropy-view.ts";
import { type ExchangeWatch, exchange } from "./exchange.ts";

export interface PeerExchangesParts extends Pick<
  Coordination,
  "self" | "clock" | "store" | "fences" | "replica" | "network" | "ring"
> {
  readonly pace: Pace;
  readonly counts: AntiEntropyCounts;
  readonly isStopped: () => boolean;
  readonly onEvent: (event: AntiEntropyEvent) => void;
}

/** Hears of what an exchange does, and may break it off. */
interface PeerExchangeWatch extends Partial<ExchangeWatch> {
  /** True once it is to end: what was told to be complete is. */
  readonly isStopped?: () => boolean;
  /** Others wait for it to be done: see `Pace`. */
  readonly isUrgent?: boolean;
}

/** What one exchange came to. */
export interface ExchangeResult {
  /** `undefined`: both hold the same of every partition asked for. */
  readonly problem: ExchangeProblem | undefined;
  readonly bytes: number;
}

/** The exchanges of this node with one peer: one at a time, and what became of them. */
export class PeerExchanges {
  readonly peer: NodeId;
  /** When its turn comes. */
  dueMs: MonotonicMs;
  readonly #parts: PeerExchangesParts;
  readonly #sinceMs: MonotonicMs;
  /** Per partition, when its last exchange that was completed began. */
  readonly #completeMs = new Map<PartitionId, MonotonicMs>();
  #lastCompleteMs: MonotonicMs | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #running = 0;
  #startedMs: MonotonicMs = 0;
  #done = 0;
  #keys = 0;
  #keysAtStart = 0;
  #failures = 0;
  #problem: ExchangeProblem | undefined;

  constructor(peer: NodeId, dueMs: MonotonicMs, parts: PeerExchangesParts) {
    this.peer = peer;
    this.dueMs = dueMs;
    this.#parts = parts;
    this.#sinceMs = parts.clock.monotonicMs();
  }

  get isRunning(): boolean {
    return this.#running > 0;
  }

  /** The partitions that both take records of, in ascending order: they are kept alike. */
  get shared(): readonly PartitionId[] {
    return this.#parts.replica.sources.of(this.peer).kept;
  }

  /** Those as well of which one of the two has a copy left over. */
  get held(): readonly PartitionId[] {
    const { kept, left } = this.#parts.replica.sources.of(this.peer);
    return [...kept, ...left];
  }

  /** Exchanges these partitions, after what is under way. */
  exchange(
    partitions: readonly PartitionId[],
    watch: PeerExchangeWatch = {},
  ): Promise<ExchangeResult> {
    this.#running += 1;
    const before = this.#queue;
    const exchanged = before.then(async () => {
      const result = await this.#exchange(partitions, watch);
      this.#running -= 1;
      return result;
    });
    this.#queue = exchanged;
    return exchanged;
  }

  /** The partition compared the longest ago, and when; `undefined` if none is shared. */
  oldest(): { readonly partition: PartitionId; readonly sinceMs: MonotonicMs } | undefined {
    let oldest: { readonly partition: PartitionId; readonly sinceMs: MonotonicMs } | undefined;
    for (const partition of this.shared) {
      const sinceMs = this.#completeMs.get(partition) ?? this.#sinceMs;
      if (oldest === undefined || sinceMs < oldest.sinceMs) oldest = { partition, sinceMs };
    }
    return oldest;
  }

  view(nowMs: MonotonicMs): PeerExchangeView {
    const elapsedMs = nowMs - this.#startedMs;
    const keys = this.#keys - this.#keysAtStart;
    return {
      peer: this.peer,
      state: this.isRunning ? "exchanging" : "waiting",
      completeAgeMs: this.#lastCompleteMs === undefined ? undefined : nowMs - this.#lastCompleteMs,
      partitions: this.shared.length,
      partitionsDone: this.#done,
      keysExchanged: this.#keys,
      keysPerSecond: this.isRunning && elapsedMs > 0 ? (keys * 1000) / elapsedMs : 0,
      failures: this.#failures,
      problem: this.#problem,
    };
  }

  /** Resolves when nothing of it is under way any more. */
  async whenIdle(): Promise<void> {
    while (this.isRunning) await this.#queue;
  }

  async #exchange(
    partitions: readonly PartitionId[],
    watch: PeerExchangeWatch,
  ): Promise<ExchangeResult> {
    const { clock, counts, network, ring, isStopped } = this.#parts;
    const member = ring().member(this.peer);
    this.#startedMs = clock.monotonicMs();
    this.#keysAtStart = this.#keys;
    this.#done = 0;
    if (member === undefined || !network.isReachable(member.address)) {
      return this.#ended({ problem: "unreachable", bytes: 0 });
    }
    const none = (): void => undefined;
    const payment = new Payment({
      ...this.#parts,
      isStopped: () => isStopped() || watch.isStopped?.() === true,
      isUrgent: watch.isUrgent,
      member,
      onPaid: none,
      onFailed: none,
      wasPaidBefore: () => false,
    });
    const startedMs = this.#startedMs;
    const isComplete = await exchange({ ...this.#parts, target: this.peer }, payment, partitions, {
      onComplete: (partition) => {
        this.#done += 1;
        this.#completeMs.set(partition, startedMs);
        watch.onComplete?.(partition);
      },
      onExchanged: () => {
        this.#keys += 1;
        counts.keysExchanged += 1;
        watch.onExchanged?.();
      },
    });
    const outcome = await payment.finish();
    counts.bytes += payment.spent;
    const isWhole = isComplete && outcome === "paid" && !isStopped();
    if (isWhole && partitions.length === this.shared.length) {
      this.#lastCompleteMs = startedMs;
    }
    const problem = isWhole ? undefined : (payment.problem ?? "stopped");
    return this.#ended({ problem, bytes: payment.spent });
  }

  #ended(result: ExchangeResult): ExchangeResult {
    const { clock, counts, onEvent } = this.#parts;
    this.#problem = result.problem;
    if (result.problem === undefined) counts.completed += 1;
    else {
      counts.failed += 1;
      this.#failures += 1;
    }
    const keys = this.#keys - this.#keysAtStart;
    const durationMs = clock.monotonicMs() - this.#startedMs;
    if (keys > 0) onEvent({ kind: "exchanged", peer: this.peer, keys, durationMs });
    return result;
  }
}
