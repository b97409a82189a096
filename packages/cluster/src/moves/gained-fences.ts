import {
  type Fence,
  type Member,
  type NodeId,
  type PartitionId,
  type Ring,
  noFence,
} from "@coterie/core";
import type { Cancel, Clock, Network } from "@coterie/ports";
import type { PeerRequest, PeerResponse } from "../messages.ts";
import { type FenceTable, highest } from "../reaping/fence-table.ts";
import { isGaining } from "./roles.ts";
import { askPeer } from "../ask-peer.ts";

/** How long one question may take, in milliseconds. */
const callMs = 2000;
/** Pause before those are asked again who did not answer. */
const retryMs = 500;

export interface GainedFencesParts {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly network: Network<PeerRequest, PeerResponse>;
  readonly fences: FenceTable;
  readonly ring: () => Ring;
}

/** What the owners of one partition have said of its fence. */
interface Heard {
  readonly from: Set<NodeId>;
  fence: Fence;
}

/**
 * What may be taken of partitions that this node is getting: nothing that was read before what the
 * owners have reaped since.
 *
 * Every member raises a number before anybody reaps under it, and nobody reaps in a partition that
 * moves. So what one owner says, asked under the version that has the move, is at least all that
 * was ever reaped; until the others have answered too, only what was read under that number is
 * taken, which is what all are at mostly. And nothing is taken while a former copy of the partition
 * is thrown away, since what came meanwhile would go with it.
 */
export class GainedFences {
  readonly #parts: GainedFencesParts;
  readonly #heard = new Map<PartitionId, Heard>();
  readonly #dropping = new Set<PartitionId>();
  #isAsking = false;
  #isStopped = false;
  #cancel: Cancel = () => undefined;
  #onLearned: () => void = () => undefined;

  constructor(parts: GainedFencesParts) {
    this.#parts = parts;
  }

  /** Whether a record of a partition, read under a fence, may be taken. */
  mayTake(partition: PartitionId, fence: number): boolean {
    if (this.#dropping.has(partition)) return false;
    const { ring, self } = this.#parts;
    if (!isGaining(ring(), self, partition)) return true;
    if (this.#missing(partition).length === 0) return true;
    const heard = this.#heard.get(partition);
    return heard !== undefined && fence >= heard.fence.raised;
  }

  /** Whether anything of a partition may be taken. */
  isReady(partition: PartitionId): boolean {
    return this.mayTake(partition, Number.POSITIVE_INFINITY);
  }

  /** Takes nothing of a partition while its former copy is thrown away. */
  async whileDropping(partition: PartitionId, drop: () => Promise<void>): Promise<void> {
    this.#dropping.add(partition);
    await drop();
    this.#dropping.delete(partition);
  }

  /** Calls back when it is known of some more partitions what may be taken. */
  whenLearned(onLearned: () => void): void {
    this.#onLearned = onLearned;
  }

  /** Asks the owners of what this node is getting under the ring of now. */
  refresh(): void {
    const { ring, self } = this.#parts;
    for (const partition of this.#heard.keys()) {
      if (!isGaining(ring(), self, partition)) this.#heard.delete(partition);
    }
    if (!this.#isAsking) void this.#askAll();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    const { ring } = this.#parts;
    const wanted = new Map<Member, PartitionId[]>();
    for (const partition of this.#gaining()) {
      for (const member of this.#missing(partition)) {
        wanted.set(member, [...(wanted.get(member) ?? []), partition]);
      }
    }
    const { entered } = ring().document;
    const asked = [...wanted].map(async ([member, partitions]) => {
      const fences = await this.#ask(member);
      if (fences === undefined || ring().document.entered !== entered) return;
      const learned = partitions.map((partition) => {
        return this.#learn(partition, member.id, fences[partition] ?? noFence);
      });
      for (const each of learned) await each;
    });
    for (const each of asked) await each;
    this.#isAsking = false;
    if (wanted.size === 0 || this.#isStopped) return;
    this.#onLearned();
    if (!this.#gaining().some((partition) => this.#missing(partition).length > 0)) return;
    const { clock } = this.#parts;
    this.#cancel = clock.at(clock.monotonicMs() + retryMs, () => this.refresh());
  }

  async #learn(partition: PartitionId, from: NodeId, theirs: Fence): Promise<void> {
    const { fences, ring, self } = this.#parts;
    // Nothing of it is here that was read before it: a copy left over stands in the way of reaping.
    const own = fences.of(partition);
    const isNews = highest(own, theirs) !== own;
    if (isNews && !(await fences.adopt(partition, theirs))) return;
    if (!isGaining(ring(), self, partition)) return;
    const heard = this.#heard.get(partition) ?? { from: new Set(), fence: noFence };
    heard.from.add(from);
    heard.fence = highest(heard.fence, theirs);
    this.#heard.set(partition, heard);
  }

  #gaining(): readonly PartitionId[] {
    const { ring, self } = this.#parts;
    const { moves = [] } = ring().document;
    return moves
      .map(({ partition }) => partition)
      .filter((partition) => isGaining(ring(), self, partition));
  }

  /** The owners of a partition that have not answered yet. */
  #missing(partition: PartitionId): readonly Member[] {
    const from = this.#heard.get(partition)?.from;
    return this.#parts
      .ring()
      .owners(partition)
      .filter(({ id, departure }) => departure !== "removed" && from?.has(id) !== true);
  }

  async #ask(member: Member): Promise<readonly Fence[] | undefined> {
    const request = { kind: "ask-fences", stamp: this.#parts.ring().stamp } as const;
    const response = await askPeer(this.#parts, member, request, callMs);
    return response?.kind === "fences" ? response.fences : undefined;
  }
}
