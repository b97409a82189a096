import type { Cancel, DiskFailure } from "@coterie/ports";
import * as io from "../disk-promises.ts";
import type { LogStore, StorePorts } from "../log-store.ts";
import { segmentName } from "../log/format.ts";
import { checkpointName, encodeHead, writeDraft } from "../recovery/checkpoint.ts";
import type { StoreOptions } from "../store.ts";
import { checkpointDueBytes } from "./checkpoint-due.ts";
import { chooseOldest, chooseVictims } from "./choose-victims.ts";
import { compact } from "./compact.ts";
import type { Housekeeping } from "./housekeeping.ts";
import { scrub } from "./scrub.ts";
import { Space } from "./space.ts";

/** How often background work looks for something to do, in milliseconds. */
const tickMs = 1000;
/** The scrub's pace at an idle node: bytes per millisecond, about 4 MB/s. */
const scrubBytesPerMs = 4096;
/** Pause between two passes of the scrub, in milliseconds. */
const scrubRestMs = 60 * 60 * 1000;
/** What a copy and its checkpoint need beside their records and index. */
const copyOverheadBytes = 64 * 1024;
const checkpointDraft = "checkpoint.new";

/**
 * Everything a store does that nobody waits for: checkpoints, compaction, the scrub, and the space
 * on the disk. One task at a time, but for the scrub, which only reads.
 */
export class Housekeeper implements Housekeeping {
  readonly space: Space;
  readonly counters = { bytesCompacted: 0, compactions: 0, checkpoints: 0, scrubbedBytes: 0 };
  readonly #store: LogStore;
  readonly #ports: StorePorts;
  readonly #options: StoreOptions;
  #checkpointNumber: number;
  /** The log's bytes when the last checkpoint was written. */
  #checkpointedBytes = 0;
  /** Where the log is replayed from after the last checkpoint. */
  #replaySegment = 0;
  #isCheckpointDue: boolean;
  #isStopped = false;
  #running: Promise<void> = Promise.resolve();
  #scrubbing: Promise<void> = Promise.resolve();
  #cancelTick: Cancel = () => undefined;
  #cancelScrub: Cancel = () => undefined;
  /** Ends the scrub's pause. */
  #wakeScrub: () => void = () => undefined;
  /** Segments that could not be emptied, because records in them are damaged. */
  readonly #stuck = new Set<number>();

  constructor(
    store: LogStore,
    ports: StorePorts,
    options: StoreOptions,
    start: { readonly checkpointNumber: number; readonly isCheckpointDue: boolean },
  ) {
    this.#store = store;
    this.#ports = ports;
    this.#options = options;
    this.#checkpointNumber = start.checkpointNumber;
    this.#isCheckpointDue = start.isCheckpointDue;
    this.space = new Space({
      ...ports,
      reserveBytes: options.reserveBytes,
      borrow: options.borrowReserve,
      spareBytes: options.reserveBytes + options.segmentBytes,
      onChange: (isLow) => options.onEvent({ kind: isLow ? "disk-full" : "disk-space-back" }),
      retry: () => store.log.retryAllocation(),
    });
  }

  begin(): void {
    this.space.begin();
    this.#scheduleTick();
    this.#scheduleScrub();
  }

  onDamage(): void {
    this.#isCheckpointDue = true;
  }

  /** Finishes what runs, then writes the checkpoint that the next start begins with. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTick();
    this.#cancelScrub();
    this.#wakeScrub();
    await this.space.stop();
    await this.#scrubbing;
    await this.#running;
    await this.#writeCheckpoint(new Set());
  }

  /** Reads every sealed segment once, now. */
  async scrubAll(): Promise<void> {
    await this.#scrub(() => Promise.resolve(!this.#isStopped));
  }

  /** Compacts until there is nothing to gain. */
  async compactAll(): Promise<void> {
    const before = this.#running;
    this.#running = before.then(async () => {
      while (!this.#isStopped && (await this.#compactSome()));
    });
    await this.#running;
  }

  #scheduleTick(): void {
    if (this.#isStopped) return;
    const { clock } = this.#ports;
    this.#cancelTick = clock.at(clock.monotonicMs() + tickMs, () => {
      const before = this.#running;
      this.#running = before.then(() => this.#tick());
      void this.#running.then(() => this.#scheduleTick());
    });
  }

  async #tick(): Promise<void> {
    if (this.#isStopped) return;
    await this.space.probe();
    const { index, log } = this.#store;
    const appended = log.counters.bytesAppended - this.#checkpointedBytes;
    const isDue = appended > checkpointDueBytes(index.bytes);
    if (isDue || this.#isCheckpointDue) await this.#writeCheckpoint(new Set());
    await this.#compactSome();
  }

  /** True if something was compacted. */
  async #compactSome(): Promise<boolean> {
    const { index } = this.#store;
    if (this.#store.lost.tokens().length === 0) this.#stuck.clear();
    const isCandidate = (segment: number): boolean =>
      this.#store.isSealed(segment) && !this.#stuck.has(segment);
    const { partitions } = this.#options;
    // Segments of which nothing is left need neither copies nor a checkpoint.
    const dead = [...index.uses()]
      .filter(([segment, { live }]) => live === 0 && isCandidate(segment))
      .map(([segment]) => segment)
      .filter((segment) => segment < this.#replaySegment);
    if (dead.length > 0) return this.#remove(dead);
    const victims = this.#victims(isCandidate);
    if (victims.length === 0 || !(await this.#hasSpaceFor(victims))) return false;
    const store = this.#store;
    const isStopped = (): boolean => this.#isStopped;
    const restMs = (ms: number): number => this.#restMs(ms);
    const parts = { ...this.#ports, store, partitions, isStopped, restMs };
    const compacted = await compact(parts, victims);
    if (compacted === "stopped") return false;
    if (!compacted.ok) {
      this.#failed("compaction", compacted);
      return false;
    }
    // They must be durable before a checkpoint lets a start do without the victims.
    if (!(await store.rewriteRemovals(victims))) return false;
    const emptied = victims.filter((segment) => index.use(segment).live === 0);
    for (const segment of victims) if (index.use(segment).live > 0) this.#stuck.add(segment);
    if (!(await this.#writeCheckpoint(new Set(emptied)))) return false;
    this.counters.compactions += 1;
    this.counters.bytesCompacted += compacted.bytesCopied;
    return this.#remove(emptied);
  }

  #victims(isCandidate: (segment: number) => boolean): readonly number[] {
    const { index, removals } = this.#store;
    const { segmentBytes } = this.#options;
    const isAging = removals.areMany && !this.space.isLow;
    const oldest = isAging ? chooseOldest(index.uses(), isCandidate, segmentBytes) : [];
    return oldest.length > 0 ? oldest : chooseVictims(index.uses(), isCandidate, segmentBytes);
  }

  /** On a full disk a copy that would not fit is not begun. */
  async #hasSpaceFor(victims: readonly number[]): Promise<boolean> {
    if (!this.space.isLow) return true;
    const { index } = this.#store;
    let needed = index.bytes;
    for (const segment of victims) needed += index.use(segment).live;
    const free = await io.free(this.#ports.disk);
    return free.ok && free.value > needed + copyOverheadBytes;
  }

  /** Removes segments that neither the index nor the checkpoint needs. */
  async #remove(segments: readonly number[]): Promise<boolean> {
    const { index, files, log } = this.#store;
    if (segments.length === 0) return false;
    // The marks of damage may be in what is removed; and what has replaced its records must stay.
    this.#store.recordDamageAgain();
    if (!(await this.#store.durable())) return false;
    await log.harden();
    let bytesFreed = 0;
    for (const segment of segments) {
      bytesFreed += index.use(segment).total;
      index.forget(segment);
      const removed = await io.remove(this.#ports.disk, segmentName(segment));
      // A segment that was lost is none to remove.
      if (!removed.ok && removed.error !== "missing") this.#failed("removing a segment", removed);
      await files.release(segment);
    }
    const synced = await io.syncDirectory(this.#ports.disk);
    // Until then a crash may bring the segments back.
    if (synced.ok) this.#store.forgetRemovals();
    this.#options.onEvent({ kind: "compacted", segments: segments.length, bytesFreed });
    return true;
  }

  /**
   * Writes the index, and from where the log is to be replayed. The index is exported partition by
   * partition while updates go on, so the replay begins where the log stood *before*; and the
   * checkpoint gets its name only once everything it may point to is durable. The segments in
   * `leaving` will be removed after it.
   */
  async #writeCheckpoint(leaving: ReadonlySet<number>): Promise<boolean> {
    const { log, index, lost } = this.#store;
    const { disk, clock } = this.#ports;
    this.#isCheckpointDue = false;
    const { replayStart } = log;
    const { bytesAppended } = log.counters;
    const head = encodeHead({
      ...replayStart,
      partitions: this.#options.partitions,
      segments: [...index.uses()]
        .filter(([segment]) => segment !== replayStart.segment && !leaving.has(segment))
        .map(([segment, { total }]) => ({ segment, bytes: total })),
      damaged: lost.entries(),
      removals: [...this.#store.removals.all()],
      discards: this.#store.discards.all(),
      lostPartitions: lost.partitions,
      isWhole: lost.isWhole,
    });
    const pause = (): Promise<void> => new Promise((resolve) => clock.afterTurn(resolve));
    const drafted = await writeDraft(disk, checkpointDraft, head, index, pause);
    if (!drafted.ok) return this.#failed("writing a checkpoint", drafted);
    if (!(await this.#store.durable())) return false;
    await log.harden();
    const previous = checkpointName(this.#checkpointNumber);
    this.#checkpointNumber += 1;
    const renamed = await io.rename(disk, checkpointDraft, checkpointName(this.#checkpointNumber));
    const named = renamed.ok ? await io.syncDirectory(disk) : renamed;
    if (!named.ok) return this.#failed("writing a checkpoint", named);
    await io.remove(disk, previous);
    this.#replaySegment = replayStart.segment;
    this.#checkpointedBytes = bytesAppended;
    this.counters.checkpoints += 1;
    return true;
  }

  /** A full disk is for another time; after any other failure the disk cannot be trusted. */
  #failed(what: string, failure: DiskFailure): false {
    if (failure.error !== "full") this.#store.fail(`${what} failed: ${failure.message}`);
    else this.space.ranOut();
    return false;
  }

  /** Yields to what clients wait for; but on a full disk, that waits for space. */
  #restMs(ms: number): number {
    return this.space.isLow ? ms : (this.#options.pressure?.restMs(ms) ?? ms);
  }

  #scheduleScrub(): void {
    if (this.#isStopped) return;
    const { clock } = this.#ports;
    this.#cancelScrub = clock.at(clock.monotonicMs() + scrubRestMs, () => {
      this.#scrubbing = this.#scrub((bytes) => this.#paceScrub(bytes));
      void this.#scrubbing.then(() => this.#scheduleScrub());
    });
  }

  async #scrub(pace: (bytes: number) => Promise<boolean>): Promise<void> {
    const { index, files } = this.#store;
    const counted = (bytes: number): Promise<boolean> => {
      this.counters.scrubbedBytes += bytes;
      return pace(bytes);
    };
    const { clock, disk } = this.#ports;
    const checkpoint = (): number => this.#checkpointNumber;
    await scrub({ store: this.#store, clock, disk, index, files, checkpoint, pace: counted });
  }

  async #paceScrub(bytes: number): Promise<boolean> {
    const { clock } = this.#ports;
    await new Promise<void>((resolve) => {
      const restMs = this.#restMs(bytes / scrubBytesPerMs);
      const cancel = clock.at(clock.monotonicMs() + restMs, resolve);
      this.#wakeScrub = () => {
        cancel();
        resolve();
      };
    });
    return !this.#isStopped;
  }
}
