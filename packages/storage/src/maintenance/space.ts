import type { Clock, Disk, File } from "@coterie/ports";
import * as io from "../disk-promises.ts";

export const reserveName = "reserve";
const chunkBytes = 1024 * 1024;
/** Pause between two chunks, in milliseconds. */
const pauseMs = 10;

export interface SpaceParts {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly reserveBytes: number;
  /** Asks another store on the disk for its reserve. */
  readonly borrow: (() => Promise<boolean>) | undefined;
  /** Free bytes that must remain beside the reserve before puts are taken again. */
  readonly spareBytes: number;
  readonly onChange: (isLow: boolean) => void;
  /** Some space was released: the log may try to grow again. */
  readonly retry: () => void;
}

/**
 * The space on the disk. When it runs out, puts are refused, and a reserve file is released for
 * what must go on: deletes, repairs, compaction. When space returns, the reserve comes first.
 */
export class Space {
  readonly #parts: SpaceParts;
  #isLow = false;
  #hasReserve = false;
  /** Whether the other store has been asked since the disk was last found full. */
  #hasBorrowed = false;
  #releasing: Promise<void> | undefined;
  #making: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(parts: SpaceParts) {
    this.#parts = parts;
  }

  get isLow(): boolean {
    return this.#isLow;
  }

  /** Looks for the reserve of an earlier start: a start on a full disk needs it. */
  async find(): Promise<void> {
    const { disk } = this.#parts;
    const opened = await io.open(disk, reserveName, "existing");
    if (!opened.ok) return;
    this.#hasReserve = true;
    await io.close(disk, opened.value);
  }

  /** Makes the reserve, in the background, unless it has just been spent. */
  begin(): void {
    if (!this.#isLow) this.#making = this.#makeFirst();
  }

  /** Resolves when nothing is under way; what is being made is given up. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#making;
    await this.#releasing;
  }

  /** The log found no space. True while a reserve is being released. */
  ranOut(): boolean {
    this.#setLow(true);
    const { borrow } = this.#parts;
    if (this.#hasReserve) {
      this.#hasReserve = false;
      this.#releasing = this.#release();
    } else if (borrow !== undefined && !this.#hasBorrowed) {
      this.#hasBorrowed = true;
      this.#releasing = borrow().then(() => this.#released());
    }
    return this.#releasing !== undefined;
  }

  /** Releases the reserve for another store on the disk; false if there is none. */
  async lend(): Promise<boolean> {
    if (!this.ranOut()) return false;
    await this.#releasing;
    return true;
  }

  /** Looks whether there is space again. */
  async probe(): Promise<void> {
    if (!this.#isLow || this.#releasing !== undefined) return;
    const { disk, reserveBytes, spareBytes } = this.#parts;
    const free = await io.free(disk);
    const missing = this.#hasReserve ? 0 : reserveBytes;
    if (!free.ok || free.value === 0) return;
    // Too little for puts may be enough for a delete.
    if (free.value < missing + spareBytes) return this.#parts.retry();
    this.#hasReserve = await this.#makeReserve();
    if (!this.#hasReserve) return;
    this.#setLow(false);
    this.#parts.retry();
  }

  async #makeFirst(): Promise<void> {
    const isMade = await this.#makeReserve();
    if (this.#isLow) {
      // The log ran out of space meanwhile, and needs it more.
      this.#hasReserve = false;
      return this.#release();
    }
    this.#hasReserve = isMade;
    if (!isMade && !this.#isStopped) this.#setLow(true);
  }

  #setLow(isLow: boolean): void {
    if (isLow === this.#isLow) return;
    this.#isLow = isLow;
    this.#hasBorrowed = false;
    this.#parts.onChange(isLow);
  }

  async #release(): Promise<void> {
    await io.remove(this.#parts.disk, reserveName);
    await io.syncDirectory(this.#parts.disk);
    this.#released();
  }

  #released(): void {
    this.#releasing = undefined;
    this.#parts.retry();
  }

  /** Allocates the reserve with zeros; true if it is there whole. */
  async #makeReserve(): Promise<boolean> {
    const { disk, reserveBytes } = this.#parts;
    if (reserveBytes === 0) return true;
    let opened = await io.open(disk, reserveName, "existing");
    if (!opened.ok) opened = await io.open(disk, reserveName, "create");
    if (!opened.ok) return false;
    const isMade = await this.#fillReserve(opened.value);
    await io.close(disk, opened.value);
    // What a stop has cut short is gone on with at the next start.
    if (!isMade && !this.#isStopped) await io.remove(disk, reserveName);
    return isMade;
  }

  async #fillReserve(file: File): Promise<boolean> {
    const { disk, clock, reserveBytes } = this.#parts;
    const size = await io.size(disk, file);
    if (!size.ok) return false;
    const chunk = new Uint8Array(Math.min(chunkBytes, reserveBytes));
    for (let at = size.value; at < reserveBytes; at += chunk.length) {
      if (this.#isStopped) return false;
      const length = Math.min(chunk.length, reserveBytes - at);
      const written = await io.write(disk, file, at, chunk.subarray(0, length));
      // Synced piece by piece: 64 MB at once would hold up every group that is committed meanwhile.
      if (!written.ok || !(await io.sync(disk, file)).ok) return false;
      await new Promise<void>((resolve) => {
        clock.at(clock.monotonicMs() + pauseMs, resolve);
      });
    }
    return true;
  }
}
