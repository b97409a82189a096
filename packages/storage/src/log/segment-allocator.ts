import type {
  Clock,
  Disk,
  DiskFailure,
  DiskOutcome,
  File,
  MonotonicMs,
  Random,
} from "@coterie/ports";
import * as io from "../disk-promises.ts";
import { encodeSegmentHeader, saltBytes, segmentHeaderBytes, segmentName } from "./format.ts";

/** A segment open for appending. */
export interface OpenSegment {
  readonly segment: number;
  readonly file: File;
  readonly salt: Uint8Array;
  /** Zeros are durable up to here: writing below cannot lack space, nor change the file's size. */
  allocated: number;
}

/** Chunks that are allocated ahead of the log's end, once fewer than the least of them are left. */
const aheadChunks = 16;
const aheadChunksMin = 8;
/**
 * Written at once; small, because syncing it competes with groups for the disk. Larger, up to the
 * most, from when an append has to wait for it, and until there was enough for a while.
 */
const chunkBytesMin = 256 * 1024;
const chunkBytesMax = 1024 * 1024;
const enoughMs = 1000;
/** What every chunk is written from; nobody writes to it. */
const zeros: Uint8Array = new Uint8Array(chunkBytesMax);
const pauseMs = 4;

export interface SegmentPorts {
  readonly disk: Disk;
  readonly random: Random;
}

/** Creates a segment: its header and its name are durable when this resolves. */
export async function createSegment(
  { disk, random }: SegmentPorts,
  segment: number,
  partitions: number,
): Promise<DiskOutcome<OpenSegment>> {
  const name = segmentName(segment);
  const opened = await io.open(disk, name, "create");
  if (!opened.ok) return opened;
  const file = opened.value;
  const salt = random.bytes(saltBytes);
  const header = encodeSegmentHeader({ segment, kind: "normal", partitions, salt });
  const written = await io.write(disk, file, 0, header);
  const synced = written.ok ? await io.sync(disk, file) : written;
  const named = synced.ok ? await io.syncDirectory(disk) : synced;
  if (named.ok) return { ok: true, value: { segment, file, salt, allocated: segmentHeaderBytes } };
  await io.close(disk, file);
  await io.remove(disk, name);
  return named;
}

export interface AllocatorParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly segmentBytes: number;
  /** More is allocated than before. */
  readonly onProgress: () => void;
  readonly onFailure: (failure: DiskFailure) => void;
}

/** Where the log is, or will be, written. */
export interface LogEnd {
  readonly open: OpenSegment;
  readonly position: number;
}

/**
 * Keeps zeros ahead of where the log is written, chunk by chunk in the background: a group then
 * never waits for the file system to find space, is synced without its metadata, and does not meet
 * a full disk half-way. Chunk by chunk it keeps up with the log, or at least with the disk: where
 * appends had to wait, chunks become larger and follow each other without a pause.
 */
export class SegmentAllocator {
  readonly #parts: AllocatorParts;
  #ends: readonly LogEnd[] = [];
  /** What an append waits for: to be allocated up to there, at once. */
  #awaited: LogEnd | undefined;
  #chunkBytes: number = chunkBytesMin;
  /** An append has had to wait since the last chunk. */
  #hasGrown = false;
  #endedMs: MonotonicMs = 0;
  #isStopped = false;
  #isRunning = false;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: AllocatorParts) {
    this.#parts = parts;
  }

  /** Says where the log is written now and next; extends the segments if what is left is little. */
  keepAhead(ends: readonly LogEnd[]): void {
    this.#ends = ends;
    if (this.#isRunning) return;
    const { clock, segmentBytes } = this.#parts;
    if (clock.monotonicMs() - this.#endedMs > enoughMs) this.#chunkBytes = chunkBytesMin;
    const aheadBytes = this.#chunkBytes * aheadChunksMin;
    const isLittle = ends.some(
      ({ open, position }) => open.allocated < Math.min(position + aheadBytes, segmentBytes),
    );
    if (isLittle) this.#run();
  }

  /** Extends `open` up to there without a pause: an append waits for it. */
  hurry(open: OpenSegment, position: number): void {
    this.#awaited = { open, position };
    if (!this.#hasGrown) this.#chunkBytes = Math.min(this.#chunkBytes * 2, chunkBytesMax);
    this.#hasGrown = true;
    if (!this.#isRunning) this.#run();
  }

  /** Resolves when nothing is written any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  #run(): void {
    if (this.#isStopped) return;
    this.#isRunning = true;
    this.#running = this.#extendAll();
  }

  async #extendAll(): Promise<void> {
    const { clock } = this.#parts;
    for (let goal = this.#goal(); goal !== undefined; goal = this.#goal()) {
      const extended = await this.#extend(goal);
      if (!extended.ok) {
        this.#awaited = undefined;
        this.#isRunning = false;
        return this.#parts.onFailure(extended);
      }
      this.#hasGrown = false;
      this.#parts.onProgress();
      const isHurried = this.#awaited !== undefined || this.#chunkBytes > chunkBytesMin;
      if (!isHurried) await this.#pause();
    }
    this.#isRunning = false;
    this.#endedMs = clock.monotonicMs();
    this.#parts.onProgress();
  }

  /** What to extend next, and up to where in the end. */
  #goal(): LogEnd | undefined {
    if (this.#isStopped) return undefined;
    const awaited = this.#awaited;
    const isAwaited = awaited !== undefined && awaited.open.allocated < awaited.position;
    if (!isAwaited) this.#awaited = undefined;
    const ends = isAwaited ? [awaited] : this.#ends;
    const { segmentBytes } = this.#parts;
    for (const { open, position } of ends) {
      const ahead = Math.min(position + this.#chunkBytes * aheadChunks, segmentBytes);
      // A record larger than a segment gets one that is as large as it needs.
      const goal = isAwaited ? Math.max(position, ahead) : ahead;
      if (open.allocated < goal) return { open, position: goal };
    }
    return undefined;
  }

  /** By a chunk. */
  async #extend({ open, position }: LogEnd): Promise<DiskOutcome> {
    const { disk } = this.#parts;
    const from = open.allocated;
    const length = Math.min(this.#chunkBytes, position - from);
    const written = await io.write(disk, open.file, from, zeros.subarray(0, length));
    const synced = written.ok ? await io.sync(disk, open.file) : written;
    if (synced.ok) {
      open.allocated = from + length;
      return synced;
    }
    // A smaller one may find space.
    if (synced.error !== "full" || this.#chunkBytes === chunkBytesMin) return synced;
    this.#chunkBytes = chunkBytesMin;
    return this.#extend({ open, position });
  }

  #pause(): Promise<void> {
    const { clock } = this.#parts;
    return new Promise((resolve) => {
      clock.at(clock.monotonicMs() + pauseMs, resolve);
    });
  }
}
