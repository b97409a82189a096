import type { Clock, Disk, DiskFailure, DiskOutcome, File, Random } from "@coterie/ports";
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

/** Bytes allocated ahead of the log's end, once fewer than the least of them are left. */
const aheadBytes = 4 * 1024 * 1024;
const aheadBytesMin = 2 * 1024 * 1024;
/** Written at once; small, because syncing it competes with groups for the disk. */
const chunkBytes = 256 * 1024;
/** What every chunk is written from; nobody writes to it. */
const zeros: Uint8Array = new Uint8Array(chunkBytes);
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

/**
 * Keeps zeros ahead of where the log is written, chunk by chunk in the background: a group then
 * never waits for the file system to find space, is synced without its metadata, and does not meet
 * a full disk half-way.
 */
export class SegmentAllocator {
  readonly #parts: AllocatorParts;
  #isStopped = false;
  #isRunning = false;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: AllocatorParts) {
    this.#parts = parts;
  }

  /** Extends `open` if what is left beyond `position` is little; `needed` more at once. */
  keepAhead(open: OpenSegment, position: number, needed: number = 0): void {
    if (this.#isRunning || this.#isStopped) return;
    const { segmentBytes } = this.#parts;
    const least = Math.max(position + needed, Math.min(position + aheadBytesMin, segmentBytes));
    if (open.allocated >= least) return;
    const goal = Math.max(position + needed, Math.min(position + aheadBytes, segmentBytes));
    this.#isRunning = true;
    this.#running = this.#extend(open, goal, needed > 0);
  }

  /** Resolves when nothing is written any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #extend(open: OpenSegment, goal: number, isUrgent: boolean): Promise<void> {
    const { disk } = this.#parts;
    while (open.allocated < goal && !this.#isStopped) {
      const length = Math.min(chunkBytes, goal - open.allocated);
      const from = open.allocated;
      const written = await io.write(disk, open.file, from, zeros.subarray(0, length));
      const synced = written.ok ? await io.sync(disk, open.file) : written;
      if (!synced.ok) {
        this.#isRunning = false;
        this.#parts.onFailure(synced);
        return;
      }
      open.allocated = from + length;
      this.#parts.onProgress();
      if (!isUrgent) await this.#pause();
    }
    this.#isRunning = false;
    this.#parts.onProgress();
  }

  #pause(): Promise<void> {
    const { clock } = this.#parts;
    return new Promise((resolve) => {
      clock.at(clock.monotonicMs() + pauseMs, resolve);
    });
  }
}
