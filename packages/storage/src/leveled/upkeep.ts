import { equalDigests, recordDigest, withClass, classIn } from "@coterie/core";
import type { Cancel, EngineChange, EngineFailure, KeyValueEngine } from "@coterie/ports";
import { ClassRoots } from "../index/class-roots.ts";
import * as io from "../disk-promises.ts";
import type { StorePorts } from "../log-store.ts";
import type { ReplayStart } from "../log/log.ts";
import { segmentName, segmentNumber } from "../log/format.ts";
import { Space } from "../maintenance/space.ts";
import type { PlacedToken, StoreOptions } from "../store.ts";
import { engineCall } from "./engine-promises.ts";
import type { LeveledHousekeeping } from "./leveled-housekeeping.ts";
import type { LeveledStore } from "./leveled-store.ts";
import type { MemTable } from "./mem-table.ts";
import { encodeMarker } from "./recover-leveled.ts";
import type { CountedRow, FoundRow } from "./rows.ts";
import {
  encodeCounted,
  encodeRecords,
  markerKey,
  rangeOf,
  rowKey,
  summaryKey,
} from "./token-row.ts";

/** Rows in memory, in bytes, at which they are spilled into the engine. */
const tableBytes = 8 * 1024 * 1024;
/** And so many bytes of log, whatever they came to. */
const logBytesMax = 32 * 1024 * 1024;
const tickMs = 1000;
/** The scrub's pace at an idle node: bytes per millisecond, about 4 MB/s. */
const scrubBytesPerMs = 4096;
/** Pause between two passes of the scrub, in milliseconds. */
const scrubRestMs = 60 * 60 * 1000;
/** Rows that a scrub reads at once. */
const scrubRows = 256;
/** Bytes that the engine takes for a spill, per byte of it: its own log, and a table. */
const spillShare = 2;
const spillOverheadBytes = 1024 * 1024;

/** A spill that was begun, and is tried again until the engine has it. */
interface Spill {
  readonly table: MemTable;
  readonly start: ReplayStart;
  readonly changes: readonly EngineChange[];
}

/**
 * What a store over an engine does that nobody waits for: moving what the log says into the engine,
 * and dropping the log up to there; the scrub; the space on the disk.
 */
export class Upkeep implements LeveledHousekeeping {
  readonly space: Space;
  readonly counters = { bytesCompacted: 0, compactions: 0, checkpoints: 0, scrubbedBytes: 0 };
  readonly #store: LeveledStore;
  readonly #engine: KeyValueEngine;
  readonly #ports: StorePorts;
  readonly #options: StoreOptions;
  #spill: Spill | undefined;
  /** The log's bytes when the last spill was begun. */
  #spilledBytes = 0;
  #isScheduled = false;
  #isStopped = false;
  #running: Promise<void> = Promise.resolve();
  #scrubbing: Promise<void> = Promise.resolve();
  #cancelTick: Cancel = () => undefined;
  #cancelScrub: Cancel = () => undefined;
  #wakeScrub: () => void = () => undefined;
  engineBytes = 0;

  constructor(
    store: LeveledStore,
    engine: KeyValueEngine,
    ports: StorePorts,
    options: StoreOptions,
  ) {
    this.#store = store;
    this.#engine = engine;
    this.#ports = ports;
    this.#options = options;
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
    // What is damaged is in the log, and in the next marker.
  }

  get isBehind(): boolean {
    return this.#spill !== undefined && this.#store.rows.active.bytes > tableBytes;
  }

  noteAppended(): void {
    if (this.#isScheduled || this.#spill !== undefined || !this.#isDue) return;
    this.#isScheduled = true;
    void this.#run(() => this.#spillOnce());
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTick();
    this.#cancelScrub();
    this.#wakeScrub();
    await this.space.stop();
    await this.#scrubbing;
    await this.#running;
    // Both what an earlier spill could not get rid of, and what came since.
    while (this.#hasSome && (await this.#spillOnce()));
  }

  async scrubAll(): Promise<void> {
    await this.#scrub(() => Promise.resolve(!this.#isStopped));
  }

  /** Moves all there is into the engine, and has that give back what it can. */
  async compactAll(): Promise<void> {
    await this.#run(async () => {
      while (this.#hasSome && (await this.#spillOnce()));
      const compacted = await engineCall<void>((settle) => this.#engine.compact(settle));
      if (!compacted.ok) this.#failed("compaction", compacted);
    });
  }

  get #hasSome(): boolean {
    return this.#spill !== undefined || !this.#store.rows.active.isEmpty;
  }

  get #isDue(): boolean {
    const { log, rows } = this.#store;
    const { bytesAppended } = log.counters;
    return rows.active.bytes > tableBytes || bytesAppended - this.#spilledBytes > logBytesMax;
  }

  #run(task: () => Promise<unknown>): Promise<void> {
    const before = this.#running;
    this.#running = before.then(async () => {
      await task();
    });
    return this.#running;
  }

  #scheduleTick(): void {
    if (this.#isStopped) return;
    const { clock } = this.#ports;
    this.#cancelTick = clock.at(clock.monotonicMs() + tickMs, () => {
      void this.#run(() => this.#tick()).then(() => this.#scheduleTick());
    });
  }

  async #tick(): Promise<void> {
    if (this.#isStopped) return;
    await this.space.probe();
    if (this.#spill !== undefined || this.#isDue) await this.#spillOnce();
    const size = await engineCall<number>((settle) => this.#engine.size(settle));
    if (size.ok) this.engineBytes = size.value;
  }

  /**
   * Moves what is in memory into the engine, in one step that is there whole or not at all, with
   * the place in the log up to which the engine then has everything. Only when that is durable is
   * it forgotten here, and the log removed up to there. True if it was done.
   */
  async #spillOnce(): Promise<boolean> {
    this.#isScheduled = false;
    if (this.#store.isFatal) return false;
    this.#spill ??= this.#freeze();
    const spill = this.#spill;
    // The engine must not know what a crash can still take from the log.
    if (!(await this.#store.durable())) return false;
    if (!(await this.#hasSpaceFor(spill))) {
      this.space.ranOut();
      return false;
    }
    const written = await this.#write(spill);
    if (!written.ok) return this.#failed("writing to the engine", written);
    this.counters.compactions += 1;
    this.counters.checkpoints += 1;
    this.counters.bytesCompacted += spill.table.bytes;
    this.#spill = undefined;
    this.#store.rows.spilled();
    await this.#removeBefore(spill.start.segment);
    this.#store.resumeUpdates();
    return true;
  }

  #freeze(): Spill {
    const { log, rows, lost, summaries } = this.#store;
    const start = log.replayStart;
    const table = rows.freeze();
    const changes: EngineChange[] = table.partitions.map((partition) => {
      const key = summaryKey(partition);
      return { key, value: summaries.encode(partition, key) };
    });
    const marker = encodeMarker({
      ...start,
      partitions: this.#options.partitions,
      damaged: lost.entries(),
      isWhole: lost.isWhole,
      lostPartitions: lost.partitions,
    });
    changes.push({ key: markerKey, value: marker });
    this.#spilledBytes = log.counters.bytesAppended;
    return { table, start, changes };
  }

  async #write({ table, changes }: Spill): Promise<{ readonly ok: true } | EngineFailure> {
    const { partitions } = this.#options;
    for (const partition of table.discarded) {
      const all = { partition, after: undefined, until: undefined };
      for (const kind of ["counted", "records"] as const) {
        const range = rangeOf(kind, all, partitions);
        const cleared = await engineCall<void>((settle) => this.#engine.clear(range, settle));
        if (!cleared.ok) return cleared;
      }
    }
    const written = await engineCall<void>((settle) =>
      this.#engine.write(changesOf(table, changes), settle),
    );
    if (!written.ok) return written;
    return engineCall<void>((settle) => this.#engine.flush(settle));
  }

  /** An engine that runs out of space half-way may have to be opened again: better not to begin. */
  async #hasSpaceFor({ table }: Spill): Promise<boolean> {
    const free = await io.free(this.#ports.disk);
    return !free.ok || free.value > table.bytes * spillShare + spillOverheadBytes;
  }

  /** Removes what the engine has from the log. */
  async #removeBefore(first: number): Promise<void> {
    const { disk } = this.#ports;
    const listed = await io.list(disk);
    let bytesFreed = 0;
    let segments = 0;
    for (const name of listed.ok ? listed.value : []) {
      const segment = segmentNumber(name);
      if (segment === undefined || segment >= first || !this.#store.isSealed(segment)) continue;
      bytesFreed += await this.#store.release(segment);
      await io.remove(disk, segmentName(segment));
      segments += 1;
    }
    if (segments === 0) return;
    await io.syncDirectory(disk);
    this.#options.onEvent({ kind: "compacted", segments, bytesFreed });
  }

  /** A full disk is for another time; after any other failure the engine cannot be trusted. */
  #failed(what: string, failure: EngineFailure): false {
    if (failure.error === "full") this.space.ranOut();
    else this.#store.fail(`${what} failed: ${failure.message}`);
    return false;
  }

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

  /** Reads every row, and compares it with what its smaller one says, and all with their sums. */
  async #scrub(pace: (bytes: number) => Promise<boolean>): Promise<void> {
    for (let partition = 0; partition < this.#options.partitions; partition += 1) {
      if (this.#isStopped || !(await this.#scrubPartition(partition, pace))) return;
    }
  }

  async #scrubPartition(
    partition: number,
    pace: (bytes: number) => Promise<boolean>,
  ): Promise<boolean> {
    const { rows, summaries } = this.#store;
    const version = summaries.versionOf(partition);
    const roots = new ClassRoots();
    let after: CountedRow["token"] | undefined;
    for (;;) {
      const page: CountedRow[] = [];
      const stretch = { partition, after, until: undefined };
      const isOver = await rows.walk(
        stretch,
        (row) => page.length < scrubRows && page.push(row) > 0,
        scrubRows,
      );
      const places = page.map(({ token }): PlacedToken => ({ partition, token }));
      const found = await rows.findStored(places);
      let bytes = 0;
      for (const [at, { token, counted }] of page.entries()) {
        for (const { digest } of counted) roots.add(digest.high, digest.low);
        for (const each of counted) bytes += each.bytes;
        if (!isSame(found[at], { token, counted })) {
          rows.markBroken({ partition, token }, counted);
          this.#store.noteDamage({ partition, token }, "found by the scrub");
        }
      }
      this.counters.scrubbedBytes += bytes;
      if (!(await pace(bytes))) return false;
      if (isOver) break;
      after = page.at(-1)?.token;
    }
    const isQuiet = version === summaries.versionOf(partition);
    if (isQuiet && !summaries.isSumOf(partition, roots)) await this.#store.correctSums(partition);
    return true;
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

/** Rows and sums, and last of all the marker. */
function* changesOf(table: MemTable, last: readonly EngineChange[]): Generator<EngineChange> {
  for (const { token, row } of table.rows()) {
    const isGone = row.entries.length === 0;
    const records = rowKey("records", token);
    const counted = rowKey("counted", token);
    yield { key: records, value: isGone ? undefined : encodeRecords(records, row.entries) };
    yield { key: counted, value: isGone ? undefined : encodeCounted(counted, row.counted) };
  }
  yield* last;
}

/** Whether the records are those that the smaller row counts; one since replaced is, too. */
function isSame(found: FoundRow | undefined, { counted }: CountedRow): boolean {
  if (found === undefined) return true;
  const { entries, isDamaged } = found.row;
  if (isDamaged) return false;
  return (
    entries.length === counted.length &&
    entries.every(({ encoded, digest }, at) => {
      const own = withClass(recordDigest(encoded), classIn(digest.low));
      return equalDigests(own, counted[at]?.digest ?? { high: 0, low: 0 });
    })
  );
}
