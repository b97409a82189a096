import type { PartitionId } from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import type { Coordination } from "../coordinator/coordination.ts";
import type { RepairFailure, RepairView } from "./anti-entropy-view.ts";
import type { PeerExchanges } from "./peer-exchanges.ts";

export interface RepairParts extends Pick<Coordination, "clock" | "store"> {
  readonly number: number;
  readonly partitions: readonly PartitionId[];
  readonly peers: readonly PeerExchanges[];
}

/**
 * What an operator asks for: an exchange of these partitions with every other owner, now. It tells
 * how far it is, and what could not be done.
 */
export class Repair {
  readonly #parts: RepairParts;
  readonly #startedMs: MonotonicMs;
  /** Per partition, the peers that it is still to be exchanged with. */
  readonly #left = new Map<PartitionId, number>();
  readonly #failures: RepairFailure[] = [];
  #endedMs: MonotonicMs | undefined;
  #steps = 0;
  #stepsDone = 0;
  #keysCompared = 0;
  #keysExchanged = 0;
  #bytes = 0;

  constructor(parts: RepairParts) {
    this.#parts = parts;
    this.#startedMs = parts.clock.monotonicMs();
    for (const partition of parts.partitions) this.#left.set(partition, 0);
    for (const each of parts.peers) {
      for (const partition of this.#sharedWith(each)) {
        this.#left.set(partition, (this.#left.get(partition) as number) + 1);
        this.#steps += 1;
      }
    }
  }

  get isRunning(): boolean {
    return this.#endedMs === undefined;
  }

  async run(isStopped: () => boolean): Promise<void> {
    for (const each of this.#parts.peers) {
      const partitions = this.#sharedWith(each);
      let left = partitions.length;
      const { problem, bytes } = await each.exchange(partitions, {
        onComplete: (partition) => {
          left -= 1;
          this.#noteComplete(partition);
        },
        onExchanged: () => {
          this.#keysExchanged += 1;
        },
      });
      this.#bytes += bytes;
      if (problem !== undefined) {
        this.#failures.push({ peer: each.peer, partitions: left, problem });
      }
      if (isStopped()) break;
    }
    this.#endedMs = this.#parts.clock.monotonicMs();
  }

  view(): RepairView {
    const elapsedMs = (this.#endedMs ?? this.#parts.clock.monotonicMs()) - this.#startedMs;
    const left = this.#steps - this.#stepsDone;
    const hasFailed = this.#failures.length > 0 || left > 0;
    const over = hasFailed ? "failed" : "done";
    let partitionsDone = 0;
    for (const peers of this.#left.values()) if (peers === 0) partitionsDone += 1;
    return {
      number: this.#parts.number,
      state: this.isRunning ? "running" : over,
      elapsedMs,
      partitions: this.#left.size,
      partitionsDone,
      keysCompared: this.#keysCompared,
      keysExchanged: this.#keysExchanged,
      bytes: this.#bytes,
      keysPerSecond: elapsedMs > 0 ? (this.#keysCompared * 1000) / elapsedMs : 0,
      etaMs:
        this.isRunning && this.#stepsDone > 0 ? (elapsedMs * left) / this.#stepsDone : undefined,
      failures: [...this.#failures],
    };
  }

  #noteComplete(partition: PartitionId): void {
    this.#stepsDone += 1;
    this.#left.set(partition, (this.#left.get(partition) as number) - 1);
    this.#keysCompared += this.#parts.store.root(partition, 0).count;
  }

  #sharedWith({ shared }: PeerExchanges): readonly PartitionId[] {
    return shared.filter((partition) => this.#left.has(partition));
  }
}
