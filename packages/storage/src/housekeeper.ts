import type { Cancel, Clock, Disk, File } from "@coterie/ports";
import { compact } from "./compaction/compact.ts";
import { chooseVictims } from "./compaction/choose-victims.ts";
import * as io from "./disk-promises.ts";
import type { Housekeeping, LogStore } from "./log-store.ts";
import { decodeEntry, segmentName } from "./log/format.ts";
import { checkpointName, encodeHead, writeDraft } from "./recovery/checkpoint.ts";
import type { StoreOptions } from "./store.ts";

/** Log appended since the last checkpoint at which the next one is written. */
const checkpointEveryBytes = 16 * 1024 * 1024;
/** How often background work looks for something to do, in milliseconds. */
const tickMs = 1000;
/** Bytes that the scrub reads per tick: about 2 MB/s. */
const scrubBytesPerTick = 2 * 1024 * 1024;
const reserveName = "reserve";
/** Pause between two megabytes of the reserve. */
const reservePauseMs = 10;
const draftName = "checkpoint.new";

/**
 * Everything a store does that nobody waits for: checkpoints, compaction, the scrub, and the
 * reserve that keeps a full disk from being a dead end. One task at a time.
 */
export class Housekeeper implements Housekeeping {
  readonly #store: LogStore;
  readonly #clock: Clock;
  readonly #disk: Disk;
  readonly #options: StoreOptions;
  #checkpointNumber: number;
  #checkpointedBytes = 0;
  #isDamageUnsaved = false;
  #isStopped = false;
  #running: Promise<void> = Promise.resolve();
  #cancelTick: Cancel = () => undefined;
  #hasReserve = false;
  #scrub: ScrubPosition | undefined;
  readonly #counters = { bytesCompacted: 0, compactions: 0, checkpoints: 0, scrubbedBytes: 0 };

  constructor(
    store: LogStore,
    ports: { readonly clock: Clock; readonly disk: Disk },
    options: StoreOptions,
    checkpointNumber: number,
  ) {
    this.#store = store;
    this.#clock = ports.clock;
    this.#disk = ports.disk;
    this.#options = options;
    this.#checkpointNumber = checkpointNumber;
    store.onFull = () => this.#spaceRanOut();
  }

  /** Begins the background work, the making of the reserve first. */
  start(): void {
    this.#running = this.#makeReserve().then((isMade) => {
      this.#hasReserve = isMade;
      if (!isMade) this.#store.isSpaceLow = true;
      this.#scheduleTick();
    });
  }

  onRotated(): void {
    // Nothing at once: the next tick sees the sealed segment.
  }

  onDamage(): void {
    this.#isDamageUnsaved = true;
  }

  statistics(): ReturnType<Housekeeping["statistics"]> {
    return this.#counters;
  }

  /** Finishes what runs, then leaves the directory as a clean stop leaves it. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTick();
    await this.#running;
    await this.#store.durable();
    await this.#writeCheckpoint();
    this.#store.recordCleanStop();
    await this.#store.durable();
  }

  /** Reads every sealed segment once, now: what a test or an operator asks for. */
  async scrubAll(): Promise<void> {
    await this.#running;
    this.#scrub = undefined;
    do await this.#scrubSome(Number.MAX_SAFE_INTEGER);
    while (this.#scrub !== undefined);
  }

  /** Compacts and checkpoints now, if there is anything to gain. */
  async compactNow(): Promise<void> {
    await this.#running;
    await this.#compactSome();
  }

  /** Writes a checkpoint now. */
  async checkpointNow(): Promise<void> {
    await this.#running;
    await this.#writeCheckpoint();
  }

  #scheduleTick(): void {
    if (this.#isStopped) return;
    this.#cancelTick = this.#clock.at(this.#clock.monotonicMs() + tickMs, () => {
      this.#running = this.#tick().then(() => this.#scheduleTick());
    });
  }

  async #tick(): Promise<void> {
    if (this.#store.isSpaceLow) await this.#probeSpace();
    const { bytesAppended } = this.#store.log.counters;
    if (this.#isDamageUnsaved || bytesAppended - this.#checkpointedBytes > checkpointEveryBytes) {
      await this.#writeCheckpoint();
    }
    await this.#compactSome();
    await this.#scrubSome(scrubBytesPerTick);
  }

  #isSealed(segment: number): boolean {
    return segment < this.#store.log.segment;
  }

  async #compactSome(): Promise<void> {
    const { index } = this.#store;
    // What a sealed segment still waits for in memory is on the disk after this.
    await this.#store.durable();
    // A compacted segment may have a higher number than the one being written; it is sealed too.
    const isSealed = (segment: number): boolean =>
      this.#isSealed(segment) ||
      (segment !== this.#store.log.segment && index.use(segment).total > 0);
    const victims = chooseVictims(index.uses(), isSealed, this.#options.segmentBytes);
    if (victims.length === 0) return;
    const { partitions } = this.#options;
    const { bytesAppended } = this.#store.log.counters;
    const parts = { store: this.#store, disk: this.#disk, clock: this.#clock, partitions };
    const compacted = await compact(parts, victims);
    if (!compacted.ok) {
      if (compacted.error !== "full") this.#store.fail(`compaction failed: ${compacted.message}`);
      return;
    }
    this.#counters.compactions += 1;
    this.#counters.bytesCompacted += compacted.bytesCopied;
    let bytesFreed = 0;
    const emptied = victims.filter((segment) => index.use(segment).live === 0);
    for (const segment of emptied) bytesFreed += index.use(segment).total;
    if (!(await this.#writeCheckpoint(new Set(emptied)))) return;
    for (const segment of emptied) {
      index.forget(segment);
      await this.#store.files.release(segment);
      await io.remove(this.#disk, segmentName(segment));
    }
    await io.syncDirectory(this.#disk);
    this.#checkpointedBytes = bytesAppended;
    this.#options.onEvent({ kind: "compacted", segments: emptied.length, bytesFreed });
  }

  /**
   * Writes the index, and what the log before it need not be read for. The index is exported
   * partition by partition while updates go on, so the log is replayed from where it stood
   * *before*; and it counts only once everything it may point to is durable.
   */
  async #writeCheckpoint(without: ReadonlySet<number> = new Set()): Promise<boolean> {
    const { log, index, knownDamage } = this.#store;
    await this.#store.durable();
    const { segment, offset } = log.end;
    const { lsn } = log;
    const { bytesAppended } = log.counters;
    this.#isDamageUnsaved = false;
    const head = encodeHead({
      partitions: this.#options.partitions,
      segment,
      offset,
      lsn,
      sequence: log.sequence,
      segments: [...index.uses()]
        .filter(([number]) => number !== segment && !without.has(number))
        .map(([number, { total }]) => ({ segment: number, bytes: total })),
      damaged: knownDamage.tokens(),
      isWhole: knownDamage.isWhole,
    });
    const pause = (): Promise<void> => new Promise((resolve) => this.#clock.afterTurn(resolve));
    const drafted = await writeDraft(this.#disk, draftName, head, index, pause);
    if (!drafted.ok) return this.#checkpointFailed(drafted.error, drafted.message);
    if (!(await this.#store.durable())) return false;
    const previous = checkpointName(this.#checkpointNumber);
    this.#checkpointNumber += 1;
    const renamed = await io.rename(this.#disk, draftName, checkpointName(this.#checkpointNumber));
    const named = renamed.ok ? await io.syncDirectory(this.#disk) : renamed;
    if (!named.ok) return this.#checkpointFailed(named.error, named.message);
    await io.remove(this.#disk, previous);
    this.#checkpointedBytes = bytesAppended;
    this.#counters.checkpoints += 1;
    return true;
  }

  #checkpointFailed(error: string, message: string): false {
    if (error !== "full") this.#store.fail(`writing a checkpoint failed: ${message}`);
    return false;
  }

  /** Reads on through the live entries, and notes those that are damaged. */
  async #scrubSome(bytes: number): Promise<void> {
    let left = bytes;
    const position = this.#scrub ?? { partition: 0, after: undefined };
    while (left > 0 && !this.#isStopped) {
      const batch = this.#store.list(position.partition, position.after, 64);
      for (const { token } of batch) left -= await this.#scrubToken(position.partition, token);
      position.after = batch.at(-1)?.token;
      if (batch.length < 64) {
        position.partition += 1;
        position.after = undefined;
      }
      if (position.partition >= this.#options.partitions) {
        this.#scrub = undefined;
        return;
      }
    }
    this.#scrub = position;
  }

  async #scrubToken(partition: number, token: ScrubToken): Promise<number> {
    let bytes = 0;
    for (const location of this.#store.index.find(partition, token)) {
      const { segment, offset, length } = location;
      if (segment === this.#store.log.segment || !this.#store.isDurable(location)) continue;
      const content = await new Promise<Uint8Array | undefined>((resolve) => {
        this.#store.files.read(segment, offset, length, (outcome) => {
          resolve(outcome.ok ? outcome.value : undefined);
        });
      });
      bytes += length;
      const isSound = content !== undefined && decodeEntry(content, 0, length) !== undefined;
      const isCurrent = this.#store.index
        .find(partition, token)
        .some((now) => now.segment === segment && now.offset === offset);
      if (!isSound && isCurrent) {
        this.#store.noteDamage({ partition, token }, segment, `found by the scrub at ${offset}`);
      }
    }
    this.#counters.scrubbedBytes += bytes;
    return bytes;
  }

  /** The log found no room: the reserve goes, for deletes, repairs and compaction. */
  #spaceRanOut(): void {
    this.#store.isSpaceLow = true;
    if (!this.#hasReserve) return;
    this.#hasReserve = false;
    void io.remove(this.#disk, reserveName).then(async () => {
      await io.syncDirectory(this.#disk);
      this.#store.log.retryAllocation();
    });
  }

  /** Looks whether there is space again: for the reserve first, and as much for the log. */
  async #probeSpace(): Promise<void> {
    const free = await io.free(this.#disk);
    if (!free.ok || free.value < 2 * this.#options.reserveBytes + this.#options.segmentBytes)
      return;
    this.#hasReserve = await this.#makeReserve();
    if (!this.#hasReserve) return;
    this.#store.log.retryAllocation();
    this.#store.isSpaceLow = false;
  }

  /** Allocates the reserve with zeros; true if it is there whole. */
  async #makeReserve(): Promise<boolean> {
    const { reserveBytes } = this.#options;
    if (reserveBytes === 0) return true;
    let opened = await io.open(this.#disk, reserveName, "existing");
    if (!opened.ok) opened = await io.open(this.#disk, reserveName, "create");
    if (!opened.ok) return false;
    const isMade = await this.#fillReserve(opened.value);
    await io.close(this.#disk, opened.value);
    if (!isMade) await io.remove(this.#disk, reserveName);
    return isMade;
  }

  async #fillReserve(file: File): Promise<boolean> {
    const size = await io.size(this.#disk, file);
    if (!size.ok) return false;
    const chunk = new Uint8Array(1024 * 1024);
    for (let at = size.value; at < this.#options.reserveBytes; at += chunk.length) {
      const length = Math.min(chunk.length, this.#options.reserveBytes - at);
      const written = await io.write(this.#disk, file, at, chunk.subarray(0, length));
      // Synced piece by piece: 64 MB at once would hold up every group that is committed meanwhile.
      if (!written.ok || !(await io.sync(this.#disk, file)).ok) return false;
      if (this.#isStopped) return false;
      await new Promise<void>((resolve) => {
        this.#clock.at(this.#clock.monotonicMs() + reservePauseMs, resolve);
      });
    }
    return true;
  }
}

type ScrubToken = Parameters<LogStore["index"]["find"]>[1];

interface ScrubPosition {
  partition: number;
  after: ScrubToken | undefined;
}
