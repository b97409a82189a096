import type { Disk, DiskOutcome, File, Settle } from "@coterie/ports";
import { segmentName } from "./format.ts";

/** Files of segments opened for reading, kept open: a node has some hundreds at most. */
export class SegmentFiles {
  readonly #disk: Disk;
  readonly #open = new Map<number, File>();
  readonly #opening = new Map<number, ((outcome: DiskOutcome<File>) => void)[]>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Takes over a file that is already open. */
  adopt(segment: number, file: File): void {
    this.#open.set(segment, file);
  }

  read(segment: number, offset: number, length: number, settle: Settle<Uint8Array>): void {
    const file = this.#open.get(segment);
    if (file !== undefined) return this.#disk.read(file, offset, length, settle);
    this.#withFile(segment, (opened) => {
      if (opened.ok) this.#disk.read(opened.value, offset, length, settle);
      else settle(opened);
    });
  }

  /** Closes a segment that is going to be removed. */
  release(segment: number): Promise<void> {
    const file = this.#open.get(segment);
    this.#open.delete(segment);
    if (file === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#disk.close(file, () => resolve());
    });
  }

  async closeAll(): Promise<void> {
    for (const segment of this.#open.keys()) await this.release(segment);
  }

  #withFile(segment: number, use: (outcome: DiskOutcome<File>) => void): void {
    const waiting = this.#opening.get(segment);
    if (waiting !== undefined) {
      waiting.push(use);
      return;
    }
    const users = [use];
    this.#opening.set(segment, users);
    this.#disk.open(segmentName(segment), "existing", (outcome) => {
      this.#opening.delete(segment);
      if (outcome.ok) this.#open.set(segment, outcome.value);
      for (const user of users) user(outcome);
    });
  }
}
