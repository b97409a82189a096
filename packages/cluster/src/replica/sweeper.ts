import {
  type PartitionId,
  type Pressure,
  type Ring,
  type Token,
  decodeRecordKey,
  dropExpired,
  encodeRecord,
  invariant,
  limits,
  spendExpired,
} from "@coterie/core";
import type { Cancel, Clock } from "@coterie/ports";
import type { Held, PlacedKey, RecordStore, StoredRecord } from "@coterie/storage";
import type { NodeCounters } from "../node-counters.ts";
import { oneShot } from "../one-shot.ts";
import { nextTurn } from "../pause.ts";

/** How often it looks for expired values, in milliseconds, where they are kept for longer. */
const tickMsMax = 5000;
const tickMsMin = 200;
/** Records rewritten at once. */
const batchTokens = 64;
/** Partitions looked at before others get a turn: with ten million keys, some milliseconds. */
const partitionsPerTurn = 16;
/** Pause between two batches at an idle node: at most ten thousand records per second. */
const pauseMs = 5;

export interface SweeperParts {
  readonly clock: Clock;
  readonly store: RecordStore;
  readonly pressure: Pressure;
  readonly counters: Pick<NodeCounters, "expiredSiblings">;
  /**
   * Milliseconds that a value is kept after its deadline. While it is, replicas whose clocks differ
   * hold equal records, and reads around the deadline have nothing to repair.
   */
  readonly keepExpiredMs: number | undefined;
  ring(): Ring;
}

/**
 * Takes what has expired from this node's own records, by its own clock and without asking anybody:
 * every replica comes to the same, and merging with one that is not as far changes nothing of it.
 * The index knows which records to look at, so that a pass in which nothing is due reads nothing.
 * A record that cannot be rewritten now, for want of space or because it is damaged, stays due.
 */
export class Sweeper {
  readonly #parts: SweeperParts;
  readonly #keepExpiredMs: number;
  #isStopped = false;
  #running: Promise<void> = Promise.resolve();
  /** Ends the pause that the sweeper is in. */
  #wake: () => void = () => undefined;

  constructor(parts: SweeperParts) {
    this.#parts = parts;
    this.#keepExpiredMs = parts.keepExpiredMs ?? limits.clockSkewMsMax;
  }

  begin(): void {
    this.#running = this.#run();
  }

  /** Resolves when nothing of it is under way any more. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake();
    return this.#running;
  }

  async #run(): Promise<void> {
    for (;;) {
      await this.#pause(Math.max(tickMsMin, Math.min(this.#keepExpiredMs, tickMsMax)));
      if (this.#isStopped) return;
      await this.#pass();
    }
  }

  async #pass(): Promise<void> {
    const { partitions } = this.#parts.ring().settings;
    for (let partition = 0; partition < partitions; partition += 1) {
      await this.#sweepPartition(partition);
      if (this.#isStopped) return;
      if (partition % partitionsPerTurn === partitionsPerTurn - 1)
        await nextTurn(this.#parts.clock);
    }
  }

  async #sweepPartition(partition: PartitionId): Promise<void> {
    const { clock, store } = this.#parts;
    const untilMs = clock.wallMs() - this.#keepExpiredMs;
    let after: Token | undefined;
    while (!this.#isStopped) {
      const tokens = await store.expired({ partition, untilMs, after, limit: batchTokens });
      after = tokens.at(-1);
      if (after === undefined) return;
      const swept = tokens.map((token) => this.#sweepToken(partition, token));
      for (const each of swept) await each;
      await this.#pause(this.#parts.pressure.restMs(pauseMs));
    }
  }

  async #sweepToken(partition: PartitionId, token: Token): Promise<void> {
    const { promise, settle } = oneShot<readonly StoredRecord[] | "unknown">();
    this.#parts.store.find({ partition, token, evenIfDamaged: true }, settle);
    const found = await promise;
    if (found === "unknown") return;
    for (const { bytes } of found) {
      const key = decodeRecordKey(bytes);
      invariant(key !== undefined, "a record that was read has a key");
      await this.#sweepKey({ ...key, partition, token });
    }
  }

  #sweepKey(placed: PlacedKey): Promise<void> {
    const { promise, settle } = oneShot<void>();
    this.#parts.store.update(placed, {
      bytes: 0,
      mayUseReserve: true,
      apply: (held) => this.#withoutExpired(placed, held),
      settle: () => settle(),
    });
    return promise;
  }

  #withoutExpired(placed: PlacedKey, held: Held): StoredRecord | undefined {
    if (held.state !== "present") return undefined;
    const { clock, counters } = this.#parts;
    const { record } = held.stored;
    const untilMs = clock.wallMs() - this.#keepExpiredMs;
    // What is kept of a value in an `lww` bucket does no harm in any other.
    const mayDrop = this.#parts.ring().bucket(placed.bucket)?.policy === "siblings";
    const rest = mayDrop ? dropExpired(record, untilMs) : spendExpired(record, untilMs);
    if (rest === record) return undefined;
    counters.expiredSiblings += countGone(record.siblings, rest.siblings);
    return { record: rest, bytes: encodeRecord(placed, rest) };
  }

  #pause(ms: number): Promise<void> {
    const { clock } = this.#parts;
    const { promise, settle } = oneShot<void>();
    const cancel: Cancel = clock.at(clock.monotonicMs() + ms, settle);
    this.#wake = () => {
      cancel();
      settle();
    };
    if (this.#isStopped) this.#wake();
    return promise;
  }
}

/** How many values are in `before` and not in `after`. */
function countGone(before: StoredRecord["record"]["siblings"], after: typeof before): number {
  return before.filter((sibling) => !after.includes(sibling)).length;
}
