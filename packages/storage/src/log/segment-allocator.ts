import type { Clock, Disk, DiskOutcome, File } from "@coterie/ports";
import * as io from "../disk-promises.ts";
import { encodeSegmentHeader, segmentHeaderBytes, segmentName } from "./format.ts";

/** A segment open for appending. */
export interface OpenSegment {
  readonly segment: number;
  readonly file: File;
  /** Zeros are durable up to here: writing below cannot lack space, nor change the file's size. */
  allocated: number;
}

/** Bytes kept allocated ahead of the log's end. */
const aheadBytes = 4 * 1024 * 1024;
/** Written at once; small, because syncing it competes with groups for the disk. */
const chunkBytes = 256 * 1024;
const pauseMs = 4;

/** Creates a segment: its header and its name are durable when this resolves. */
export async function createSegment(
  disk: Disk,
  segment: number,
  partitions: number,
): Promise<DiskOutcome<OpenSegment>> {
  const name = segmentName(segment);
  const opened = await io.open(disk, name, "create");
  if (!opened.ok) return opened;
  const file = opened.value;
  const header = encodeSegmentHeader({ segment, kind: "normal", partitions });
  const written = await io.write(disk, file, 0, header);
  const synced = written.ok ? await io.sync(disk, file) : written;
  const named = synced.ok ? await io.syncDirectory(disk) : synced;
  if (named.ok) return { ok: true, value: { segment, file, allocated: segmentHeaderBytes } };
  await io.close(disk, file);
  await io.remove(disk, name);
  return named;
}

/**
 * Keeps zeros ahead of where the log is written, chunk by chunk in the background: a group then
 * never waits for the file system to find space, and is synced without its metadata (measured:
 * 10 % less CPU per put, and no `disk full` in the middle of a group).
 */
export class SegmentAllocator {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #segmentBytes: number;
  readonly #onProgress: () => void;
  readonly #onFailure: (failure: DiskOutcome & { readonly ok: false }) => void;
  #isRunning = false;

  constructor(parts: {
    readonly disk: Disk;
    readonly clock: Clock;
    readonly segmentBytes: number;
    /** More is allocated than before. */
    readonly onProgress: () => void;
    readonly onFailure: (failure: DiskOutcome & { readonly ok: false }) => void;
  }) {
    this.#disk = parts.disk;
    this.#clock = parts.clock;
    this.#segmentBytes = parts.segmentBytes;
    this.#onProgress = parts.onProgress;
    this.#onFailure = parts.onFailure;
  }

  /** Extends `open` if what is left beyond `position` is little; `needed` more at once. */
  keepAhead(open: OpenSegment, position: number, needed: number = 0): void {
    if (this.#isRunning) return;
    const goal = Math.max(position + needed, Math.min(position + aheadBytes, this.#segmentBytes));
    if (open.allocated >= goal) return;
    this.#isRunning = true;
    void this.#extend(open, goal, needed > 0);
  }

  async #extend(open: OpenSegment, goal: number, isUrgent: boolean): Promise<void> {
    while (open.allocated < goal) {
      const length = Math.min(chunkBytes, goal - open.allocated);
      const from = open.allocated;
      const written = await io.write(this.#disk, open.file, from, new Uint8Array(length));
      const synced = written.ok ? await io.sync(this.#disk, open.file) : written;
      if (!synced.ok) {
        this.#isRunning = false;
        this.#onFailure(synced);
        return;
      }
      open.allocated = from + length;
      this.#onProgress();
      if (!isUrgent) await this.#pause();
    }
    this.#isRunning = false;
    this.#onProgress();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.at(this.#clock.monotonicMs() + pauseMs, resolve);
    });
  }
}
