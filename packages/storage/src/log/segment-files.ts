import { invariant } from "@coterie/core";
import type { Disk, DiskOutcome, File, Settle } from "@coterie/ports";
import { segmentName } from "./format.ts";

interface OpenFile {
  readonly file: File;
  reads: number;
  /** Called when the last read is done, if the file is to be closed. */
  whenUnused: (() => void) | undefined;
}

/** Files of segments opened for reading, kept open: a node has some hundreds at most. */
export class SegmentFiles {
  readonly #disk: Disk;
  readonly #open = new Map<number, OpenFile>();
  readonly #opening = new Map<number, ((outcome: DiskOutcome<OpenFile>) => void)[]>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Takes over a file that is already open. */
  adopt(segment: number, file: File): void {
    invariant(!this.#open.has(segment), "a segment is opened once");
    this.#open.set(segment, { file, reads: 0, whenUnused: undefined });
  }

  read(segment: number, offset: number, length: number, settle: Settle<Uint8Array>): void {
    const open = this.#open.get(segment);
    if (open !== undefined) return this.#readOpen(open, offset, length, settle);
    this.#withFile(segment, (opened) => {
      if (opened.ok) this.#readOpen(opened.value, offset, length, settle);
      else settle(opened);
    });
  }

  load(segment: number, offset: number, length: number): Promise<DiskOutcome<Uint8Array>> {
    return new Promise((resolve) => {
      this.read(segment, offset, length, resolve);
    });
  }

  /**
   * Closes a segment's file once nobody reads it: its descriptor may be another file's at once, and
   * a late read would take that file's bytes.
   */
  async release(segment: number): Promise<void> {
    await this.#opened(segment);
    const open = this.#open.get(segment);
    if (open === undefined) return;
    this.#open.delete(segment);
    await new Promise<void>((resolve) => {
      if (open.reads === 0) resolve();
      else open.whenUnused = resolve;
    });
    await new Promise<void>((resolve) => {
      this.#disk.close(open.file, () => resolve());
    });
  }

  async closeAll(): Promise<void> {
    for (const segment of [...this.#opening.keys(), ...this.#open.keys()]) {
      await this.release(segment);
    }
  }

  #readOpen(open: OpenFile, offset: number, length: number, settle: Settle<Uint8Array>): void {
    open.reads += 1;
    this.#disk.read(open.file, offset, length, (outcome) => {
      open.reads -= 1;
      if (open.reads === 0) open.whenUnused?.();
      settle(outcome);
    });
  }

  /** Resolves when the segment is not just being opened. */
  #opened(segment: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#opening.get(segment);
      if (waiting === undefined) resolve();
      else waiting.push(() => resolve());
    });
  }

  #withFile(segment: number, use: (outcome: DiskOutcome<OpenFile>) => void): void {
    const waiting = this.#opening.get(segment);
    if (waiting !== undefined) {
      waiting.push(use);
      return;
    }
    const users = [use];
    this.#opening.set(segment, users);
    this.#disk.open(segmentName(segment), "existing", (outcome) => {
      this.#opening.delete(segment);
      if (!outcome.ok) return users.forEach((user) => user(outcome));
      const open: OpenFile = { file: outcome.value, reads: 0, whenUnused: undefined };
      this.#open.set(segment, open);
      for (const user of users) user({ ok: true, value: open });
    });
  }
}
