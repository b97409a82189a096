import { type Fence, type PartitionId, noFence } from "@coterie/core";
import type { Disk, DiskOutcome } from "@coterie/ports";
import { loadBlob, saveBlob } from "@coterie/storage";
import { oneShot } from "../one-shot.ts";
import { decodeFences, encodeFences } from "./fence-codec.ts";

const name = "fences";

function loadFences(disk: Disk, partitions: number): Promise<readonly Fence[]> {
  const { promise, settle } = oneShot<readonly Fence[]>();
  loadBlob(disk, name, (outcome) => {
    const bytes = outcome.ok ? outcome.value : undefined;
    const decoded = bytes === undefined ? undefined : decodeFences(bytes, partitions);
    settle(decoded?.ok === true ? decoded.fences : []);
  });
  return promise;
}

export interface FenceTableParts {
  readonly disk: Disk;
  readonly partitions: number;
  readonly loaded: readonly Fence[];
  /** The disk can no longer be trusted. */
  readonly onFatal: (reason: string) => void;
}

/**
 * The fences of all partitions, at every member: who owns a partition refuses by them what was read
 * too early, and everybody stamps by them what it reads (docs/internals/reaping.md).
 */
export class FenceTable {
  readonly #parts: FenceTableParts;
  /** In force. */
  readonly #fences: Fence[];
  /** What the file is to hold: never less than what is in force. */
  readonly #planned: Fence[];
  #lastWrite: Promise<boolean> = Promise.resolve(true);
  #nextWrite: Promise<boolean> | undefined;
  #onBehind: () => void = () => undefined;

  constructor(parts: FenceTableParts) {
    this.#parts = parts;
    this.#fences = Array.from({ length: parts.partitions }, (_, at) => parts.loaded[at] ?? noFence);
    this.#planned = [...this.#fences];
  }

  /**
   * Reads what the directory says. One that lost its fences, or in which they are damaged, starts
   * from none: then it is behind wherever something was reaped, and treats its copies so.
   */
  static async open(
    disk: Disk,
    partitions: number,
    onFatal: (reason: string) => void,
  ): Promise<FenceTable> {
    const loaded = await loadFences(disk, partitions);
    return new FenceTable({ disk, partitions, loaded, onFatal });
  }

  of(partition: PartitionId): Fence {
    return this.#fences[partition] ?? noFence;
  }

  /** All of them, by partition. */
  all(): readonly Fence[] {
    return this.#fences;
  }

  /** True if what was read under `fence` may be out of date here. */
  isBehind(partition: PartitionId, fence: number): boolean {
    return fence < this.of(partition).reaped;
  }

  /** Calls back whenever something says that this node is behind others. */
  whenBehind(onBehind: () => void): void {
    this.#onBehind = onBehind;
  }

  /** Takes note of the fence of a peer that answered. */
  note(partition: PartitionId, theirs: Fence): void {
    if (theirs.reaped > this.of(partition).raised) this.#onBehind();
  }

  /** A peer refused something as read too early. */
  noteRefused(): void {
    this.#onBehind();
  }

  /** Makes a number durable that is to be raised; false if that cannot be. */
  prepare(partition: PartitionId, raised: number): Promise<boolean> {
    this.#plan(partition, { raised, reaped: 0 });
    return this.#save();
  }

  /** Puts in force what was prepared. The caller checks in this very turn what it asserts. */
  raise(partition: PartitionId, raised: number): void {
    this.#force(partition, { raised, reaped: 0 });
  }

  /** From this moment on refuses what was read below; resolves when that is durable. */
  reap(partition: PartitionId, reaped: number): Promise<boolean> {
    const fence = { raised: reaped, reaped };
    this.#force(partition, fence);
    this.#plan(partition, fence);
    return this.#save();
  }

  /** Goes by the fence of others, once nothing is left here that was read before it. */
  async adopt(partition: PartitionId, fence: Fence): Promise<boolean> {
    this.#plan(partition, fence);
    if (!(await this.#save())) return false;
    this.#force(partition, fence);
    return true;
  }

  /** Resolves when nothing is being written any more. */
  async stop(): Promise<void> {
    await this.#lastWrite;
  }

  #force(partition: PartitionId, fence: Fence): void {
    this.#fences[partition] = highest(this.of(partition), fence);
  }

  #plan(partition: PartitionId, fence: Fence): void {
    this.#planned[partition] = highest(this.#planned[partition] ?? noFence, fence);
  }

  /** Resolves when all that is planned now is durable, or cannot be. */
  #save(): Promise<boolean> {
    if (this.#nextWrite === undefined) {
      this.#nextWrite = this.#writeAfter(this.#lastWrite);
      this.#lastWrite = this.#nextWrite;
    }
    return this.#nextWrite;
  }

  async #writeAfter(before: Promise<boolean>): Promise<boolean> {
    await before;
    this.#nextWrite = undefined;
    const { promise, settle } = oneShot<DiskOutcome>();
    const { disk, onFatal } = this.#parts;
    saveBlob(disk, name, encodeFences(this.#planned), settle);
    const saved = await promise;
    if (!saved.ok && saved.error !== "full") onFatal(`${name}: ${saved.message}`);
    return saved.ok;
  }
}

/** Of two fences of one partition the higher numbers. */
export function highest(left: Fence, right: Fence): Fence {
  if (left.raised >= right.raised && left.reaped >= right.reaped) return left;
  return {
    raised: Math.max(left.raised, right.raised),
    reaped: Math.max(left.reaped, right.reaped),
  };
}
