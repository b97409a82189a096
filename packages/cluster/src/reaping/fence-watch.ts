import { type Fence, type Member, type PartitionId, noFence } from "@coterie/core";
import type { Cancel } from "@coterie/ports";
import type { Coordination } from "../coordinator/coordination.ts";
import type { FencesResponse } from "../messages.ts";
import { oneShot } from "../one-shot.ts";
import { type FenceTable, highest } from "./fence-table.ts";
import { askPeer } from "../ask-peer.ts";

/** How long one question may take, in milliseconds. */
const callMs = 2000;
/** Pause before all are asked again where some did not answer, or this node is still behind. */
const retryMs = 5000;
/** Pause before all are asked again because something was refused: one look covers many of them. */
const settleMs = 50;

export interface FenceWatchParts extends Pick<
  Coordination,
  "self" | "clock" | "network" | "store" | "hints" | "ring"
> {
  readonly fences: FenceTable;
  /** Copies of these partitions were thrown away: they are to be fetched anew. */
  readonly onDiscard: (partitions: readonly PartitionId[]) => void;
}

/**
 * Finds out whether this node is behind others: whether they have reaped under numbers that it
 * never raised, because its directory is an old copy, or empty. Then what it holds of those
 * partitions may be what was deleted and forgotten: it is thrown away and fetched anew, and never
 * merged.
 *
 * So it is where stretches of the log are lost: an older record may show where a newer one, or the
 * mark that it was removed, is lost with them. But then only while every other owner is whole: it
 * may be that nobody else has the rest of what is here.
 *
 * It asks at the start, and whenever something was refused here or there as read too early; each
 * time until everybody has answered and it is behind nobody.
 */
export class FenceWatch {
  readonly #parts: FenceWatchParts;
  #isStopped = false;
  #isDue = false;
  #running: Promise<void> = Promise.resolve();
  #wake: () => void = () => undefined;
  readonly #looked = oneShot<void>();

  constructor(parts: FenceWatchParts) {
    this.#parts = parts;
  }

  /** Resolves once everybody was asked for the first time, and what follows was done. */
  get hasLooked(): Promise<void> {
    return this.#looked.promise;
  }

  begin(): void {
    this.#parts.fences.whenBehind(() => {
      this.#isDue = true;
      this.#wake();
    });
    this.#running = this.#run();
  }

  /** Resolves when nothing of it is under way any more. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake();
    return this.#running;
  }

  async #run(): Promise<void> {
    const { isWhole } = this.#parts.store.damage();
    const first = await this.#askAll();
    let isComplete = await this.#catchUpWith(first);
    if (!isWhole) await this.#discardWhatMayBeOld(first);
    this.#looked.settle();
    while (!this.#isStopped) {
      if (!isComplete) await this.#pause(retryMs);
      else if (!this.#isDue) await this.#pause(undefined);
      if (this.#isDue) await this.#pause(settleMs);
      if (this.#isStopped) return;
      isComplete = await this.#catchUpWith(await this.#askAll());
    }
  }

  /** Asks everybody; `undefined` for who did not answer. */
  async #askAll(): Promise<readonly (FencesResponse | undefined)[]> {
    this.#isDue = false;
    const { ring, self } = this.#parts;
    const { members } = ring().document;
    const asked = members
      .filter(({ id, departure }) => id !== self && departure !== "removed")
      .map((member) => this.#ask(member));
    const answers: (FencesResponse | undefined)[] = [];
    for (const each of asked) answers.push(await each);
    return answers;
  }

  /** True if all have answered, and this node is behind nobody any more. */
  async #catchUpWith(answers: readonly (FencesResponse | undefined)[]): Promise<boolean> {
    const { fences, ring, self } = this.#parts;
    const known: Fence[] = [];
    for (const answer of answers) {
      for (const [partition, fence] of answer?.fences.entries() ?? []) {
        known[partition] = highest(known[partition] ?? noFence, fence);
      }
    }
    const isAnyWhole = answers.some((answer) => answer?.isWhole);
    let isComplete = answers.every((answer) => answer !== undefined);
    const discarded: PartitionId[] = [];
    for (const [partition, theirs] of known.entries()) {
      if (this.#isStopped) return false;
      if (theirs.reaped <= fences.of(partition).raised) continue;
      if (!isAnyWhole || !(await this.#catchUp(partition, theirs))) isComplete = false;
      else if (ring().isHolder(self, partition)) discarded.push(partition);
    }
    if (discarded.length > 0) this.#parts.onDiscard(discarded);
    return isComplete;
  }

  async #discardWhatMayBeOld(answers: readonly (FencesResponse | undefined)[]): Promise<void> {
    const { fences, ring, self, store } = this.#parts;
    if (!answers.every((answer) => answer?.isWhole)) return;
    const old = ring()
      .heldBy(self)
      .filter((partition) => fences.of(partition).reaped > 0);
    for (const partition of old) await store.discard(partition);
    if (old.length > 0) this.#parts.onDiscard(old);
  }

  async #catchUp(partition: PartitionId, theirs: Fence): Promise<boolean> {
    const { fences, hints, ring, self, store } = this.#parts;
    // They were delivered before anything was reaped: their targets refuse them, and they go.
    if (hints.mayHold(partition)) return false;
    // Who owns it lacks what it does not have; who is getting it, or not, lacks nothing.
    const isOwner = ring().isOwner(self, partition);
    const { count } = store.root(partition, 0);
    if ((isOwner || count > 0) && !(await store.discard(partition))) return false;
    if (!ring().isHolder(self, partition)) store.markPartitionWhole(partition);
    return fences.adopt(partition, theirs);
  }

  async #ask(member: Member): Promise<FencesResponse | undefined> {
    const request = { kind: "ask-fences", stamp: this.#parts.ring().stamp } as const;
    const response = await askPeer(this.#parts, member, request, callMs);
    return response?.kind === "fences" ? response : undefined;
  }

  /** Waits so long, or until something happens. */
  async #pause(ms: number | undefined): Promise<void> {
    if (this.#isStopped) return;
    const { clock } = this.#parts;
    const { promise, settle } = oneShot<void>();
    const cancel: Cancel | undefined =
      ms === undefined ? undefined : clock.at(clock.monotonicMs() + ms, settle);
    this.#wake = () => {
      if (ms === settleMs && !this.#isStopped) return;
      cancel?.();
      settle();
    };
    await promise;
  }
}
