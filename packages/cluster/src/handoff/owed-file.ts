import type { Cancel, Clock, Disk, DiskOutcome } from "@coterie/ports";
import { loadBlob, saveBlob } from "@coterie/storage";
import { oneShot } from "../one-shot.ts";
import { type DecodedOwed, type OwedPartitions, decodeOwed, encodeOwed } from "./owed-codec.ts";

const name = "missed-keys";
/** What is paid need not be known at once: after a crash it is compared once more, that is all. */
const paidMsMax = 1000;
/** Pause before it is tried again on a full disk. */
const fullMs = 1000;

/** What this node owed when it last wrote it down; `undefined` if it never did. */
export function loadOwed(disk: Disk, partitions: number): Promise<DecodedOwed | undefined> {
  const { promise, settle } = oneShot<DecodedOwed | undefined>();
  loadBlob(disk, name, (outcome) => {
    if (!outcome.ok) settle({ ok: false, reason: outcome.message });
    else if (outcome.value === undefined) settle(undefined);
    else settle(decodeOwed(outcome.value, partitions));
  });
  return promise;
}

export interface OwedFileParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly owed: () => OwedPartitions;
  /** The disk can no longer be trusted. */
  readonly onFatal: (reason: string) => void;
}

/** Keeps the file up to date: one write at a time, of all that is owed when it begins. */
export class OwedFile {
  readonly #parts: OwedFileParts;
  #writing: Promise<void> | undefined;
  #isStale = false;
  #isStopped = false;
  #cancelTimer: Cancel | undefined;

  constructor(parts: OwedFileParts) {
    this.#parts = parts;
  }

  /** Something is owed that was not: written at once. */
  noteOwed(): void {
    this.#isStale = true;
    this.#begin();
  }

  /** Something was paid: written soon. */
  notePaid(): void {
    this.#isStale = true;
    this.#beginAfter(paidMsMax);
  }

  /**
   * Writes what has changed; resolves when nothing is under way any more. Where there is no room
   * for it, it leaves no file: then the next start takes anything to be owed.
   */
  async stop(): Promise<void> {
    this.#begin();
    this.#isStopped = true;
    while (this.#writing !== undefined) await this.#writing;
    this.#cancelTimer?.();
    if (!this.#isStale) return;
    const { promise, settle } = oneShot<void>();
    const { disk } = this.#parts;
    disk.remove(name, () => disk.syncDirectory(() => settle()));
    await promise;
  }

  #begin(): void {
    if (!this.#isStale || this.#writing !== undefined || this.#isStopped) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#writing = this.#write();
  }

  #beginAfter(ms: number): void {
    const { clock } = this.#parts;
    if (this.#isStopped) return;
    this.#cancelTimer ??= clock.at(clock.monotonicMs() + ms, () => {
      this.#cancelTimer = undefined;
      this.#begin();
    });
  }

  async #write(): Promise<void> {
    do {
      this.#isStale = false;
      const { promise, settle } = oneShot<DiskOutcome>();
      saveBlob(this.#parts.disk, name, encodeOwed(this.#parts.owed()), settle);
      const saved = await promise;
      if (saved.ok) continue;
      this.#isStale = true;
      if (saved.error !== "full") this.#parts.onFatal(`${name}: ${saved.message}`);
      this.#beginAfter(fullMs);
      break;
    } while (this.#isStale);
    this.#writing = undefined;
  }
}
