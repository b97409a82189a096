import {
  type Member,
  type NodeId,
  type PartitionId,
  type Pressure,
  type Token,
  classIn,
} from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import type { Coordination } from "../coordinator/coordination.ts";
import type {
  FenceRaisedResponse,
  ListedEntry,
  PeerRequest,
  PeerResponse,
  RaiseProblem,
  ReapRequest,
} from "../messages.ts";
import { isSettled } from "../moves/roles.ts";
import { oneShot } from "../one-shot.ts";
import { type ReapingParts, raiseFence, reap } from "./answer-reaping.ts";
import { askPeer } from "../ask-peer.ts";

/** Tombstones of one round, at most, and so many wide records. */
const entriesMax = 1024;
/** How often it looks, in milliseconds. */
const tickMsMax = 15_000;
const tickMsMin = 100;
/** How long one question to a member may take. */
const callMs = 5000;
/** Tries to have an owner forget what all have confirmed. */
const triesMax = 3;
/** Pause between rounds at an idle node. */
const pauseMs = 5;

/** Why tombstones stay, and who is the reason. */
export interface ReapingBlocker {
  readonly node: NodeId;
  /**
   * `away`: it is not known to be well, or did not answer. `lacking`: it does not hold the same
   * tombstones yet. `moving`: the partition has begun to. The rest as {@link RaiseProblem}.
   */
  readonly reason: RaiseProblem | "away" | "lacking" | "moving";
  /** In so many of the partitions that this node reaps. */
  readonly partitions: number;
}

export interface ReapingView {
  /** How long tombstones stay unchanged before they are reaped, in ms; `undefined`: they stay. */
  readonly graceMs: number | undefined;
  /** In this node's own store. */
  readonly tombstones: number;
  /** Forgotten here since the start, of all partitions. */
  readonly reaped: number;
  /** Records in this node's own store whose clocks are to be cut. */
  readonly wide: number;
  /** Clocks cut here since the start, of all partitions. */
  readonly cut: number;
  /** Who keeps this node from reaping the partitions that are its to reap; by name. */
  readonly blockers: readonly ReapingBlocker[];
}

export interface ReaperParts
  extends ReapingParts, Pick<Coordination, "clock" | "network" | "isHealthy"> {
  readonly pressure: Pressure;
  /** How long a tombstone stays unchanged before it may go; `undefined`: none goes. */
  readonly graceMs: number | undefined;
  /** The clocks of so many records are being cut. */
  readonly onCut: (records: number) => void;
}

/** Tombstones of a partition that were there at some time, and may go if they still are later. */
interface Candidates {
  readonly sinceMs: MonotonicMs;
  readonly entries: readonly ListedEntry[];
}

interface Blocked {
  readonly node: NodeId;
  readonly reason: ReapingBlocker["reason"];
}

/**
 * Reaps the tombstones of the partitions of which this node is the first owner, by evidence only:
 * every member raises a fence and says that it holds no hints for the partition, and every owner
 * that it holds the very same tombstone; only then do all forget it. That a tombstone is old is no
 * evidence; but one that is young is left alone, since requests that it has ended may still be
 * under way (docs/internals/reaping.md). By the same evidence, whatever their age, all cut the
 * clocks that have grown wide (docs/internals/actor-retirement.md).
 */
export class Reaper {
  readonly #parts: ReaperParts;
  readonly #candidates = new Map<PartitionId, Candidates>();
  /** Where the next ones of a partition are looked for. */
  readonly #cursors = {
    tombstones: new Map<PartitionId, Token>(),
    wide: new Map<PartitionId, Token>(),
  };
  readonly #blocked = new Map<PartitionId, Blocked>();
  /** Numbers that others have raised already. */
  readonly #outdone = new Map<PartitionId, number>();
  #reaped = 0;
  #cut = 0;
  #isStopped = false;
  #running: Promise<void> = Promise.resolve();
  #wake: () => void = () => undefined;

  constructor(parts: ReaperParts) {
    this.#parts = parts;
  }

  begin(): void {
    const { graceMs } = this.#parts;
    if (graceMs !== undefined) this.#running = this.#run(graceMs);
  }

  /** Resolves when nothing of it is under way any more. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake();
    return this.#running;
  }

  view(): ReapingView {
    const byName = new Map<string, ReapingBlocker>();
    for (const { node, reason } of this.#blocked.values()) {
      const name = `${node} ${reason}`;
      const partitions = (byName.get(name)?.partitions ?? 0) + 1;
      byName.set(name, { node, reason, partitions });
    }
    const { graceMs, store } = this.#parts;
    return {
      graceMs,
      tombstones: store.statistics().tombstones,
      reaped: this.#reaped,
      wide: store.statistics().wide,
      cut: this.#cut,
      blockers: [...byName.entries()]
        .toSorted(([left], [right]) => (left < right ? -1 : 1))
        .map(([, blocker]) => blocker),
    };
  }

  /** Answers the first owner of a partition. */
  async receiveReap(request: PeerRequest & { readonly kind: "reap" }): Promise<PeerResponse> {
    const { store } = this.#parts;
    if (request.cuts.length > 0) this.#parts.onCut(request.cuts.length);
    const before = store.statistics();
    const response = await reap(this.#parts, request);
    const after = store.statistics();
    this.#reaped += Math.max(0, before.tombstones - after.tombstones);
    this.#cut += Math.max(0, before.wide - after.wide);
    return response;
  }

  async #run(graceMs: number): Promise<void> {
    for (;;) {
      await this.#pause(Math.max(tickMsMin, Math.min(graceMs / 4, tickMsMax)));
      if (this.#isStopped) return;
      const { ring, self } = this.#parts;
      for (const partition of ring().partitionsOf(self)) {
        if (ring().owners(partition)[0]?.id !== self) continue;
        // While copies come and go, nobody can say who holds one: that ends.
        if (!isSettled(ring(), partition)) continue;
        await this.#visit(partition, graceMs);
        if (this.#isStopped) return;
      }
    }
  }

  async #visit(partition: PartitionId, graceMs: number): Promise<void> {
    for (;;) {
      const entries = await this.#ripe(partition, graceMs);
      const cuts = await this.#nextOf("wide", partition);
      if (entries.length + cuts.length === 0) return;
      const blocked = await this.#round(partition, entries, cuts);
      if (blocked === undefined) this.#blocked.delete(partition);
      else this.#blocked.set(partition, blocked);
      await this.#pause(this.#parts.pressure.restMs(pauseMs));
      if (blocked !== undefined || cuts.length < entriesMax || this.#isStopped) return;
    }
  }

  /** Tombstones that have stayed the same for long enough. */
  async #ripe(partition: PartitionId, graceMs: number): Promise<readonly ListedEntry[]> {
    const { clock, store } = this.#parts;
    const known = this.#candidates.get(partition);
    const now = clock.monotonicMs();
    if (known === undefined) {
      const entries = await this.#nextOf("tombstones", partition);
      if (entries.length > 0) this.#candidates.set(partition, { sinceMs: now, entries });
      else this.#blocked.delete(partition);
      return [];
    }
    if (now - known.sinceMs < graceMs) return [];
    this.#candidates.delete(partition);
    const holding = await store.holding(partition, known.entries);
    return known.entries.filter((_, at) => holding[at] === true);
  }

  async #nextOf(
    what: "tombstones" | "wide",
    partition: PartitionId,
  ): Promise<readonly ListedEntry[]> {
    const { store } = this.#parts;
    const cursors = this.#cursors[what];
    const after = cursors.get(partition);
    const found = await store[what](partition, after, entriesMax);
    const last = found.at(-1)?.token;
    if (last !== undefined && found.length >= entriesMax) cursors.set(partition, last);
    else cursors.delete(partition);
    if (found.length === 0 && after !== undefined) return this.#nextOf(what, partition);
    return found.map(({ token, digest }) => ({ token, digest }));
  }

  /** One round; says who stood in the way of all or some of it. */
  async #round(
    partition: PartitionId,
    tombstones: readonly ListedEntry[],
    wide: readonly ListedEntry[],
  ): Promise<Blocked | undefined> {
    const { fences, isHealthy, ring, self } = this.#parts;
    const { members } = ring().document;
    const away = members.find(({ id }) => id !== self && !isHealthy(id));
    if (away !== undefined) return { node: away.id, reason: "away" };
    const { raised, reaped } = fences.of(partition);
    const fence = Math.max(raised, this.#outdone.get(partition) ?? 0) + 1;
    const { stamp } = ring();
    if (!isSettled(ring(), partition)) return { node: self, reason: "moving" };
    const entries = [...tombstones, ...wide];
    const request = { kind: "raise-fence", stamp, partition, fence, reaped, entries } as const;
    const asked = members.map((member) => this.#raiseAt(member, request));
    const lacking = new Set<number>();
    let blocked: Blocked | undefined;
    let mayReap = true;
    for (const [at, { id }] of members.entries()) {
      const answer = await (asked[at] as (typeof asked)[number]);
      const reason = answer === undefined ? "away" : answer.problem;
      if (answer?.problem === "outdone") this.#outdone.set(partition, answer.fence.raised);
      if (answer !== undefined) fences.note(partition, answer.fence);
      if (reason !== undefined) {
        blocked = { node: id, reason };
        mayReap = false;
      }
      const position = ring()
        .owners(partition)
        .findIndex((owner) => owner.id === id);
      for (const index of answer?.lacking ?? []) {
        if (!isHeldBy(position, entries[index])) continue;
        blocked ??= { node: id, reason: "lacking" };
        lacking.add(index);
      }
    }
    if (!mayReap) return blocked;
    if (lacking.size === entries.length) return blocked;
    if (ring().stamp.tag !== stamp.tag) return { node: self, reason: "moving" };
    const isConfirmed = (index: number): boolean => !lacking.has(index);
    const confirmed = {
      entries: tombstones.filter((_, at) => isConfirmed(at)),
      cuts: wide.filter((_, at) => isConfirmed(tombstones.length + at)),
    };
    return (await this.#forget(partition, fence, confirmed)) ?? blocked;
  }

  /**
   * This node forgets last: what another owner has not forgotten can then be reaped again, and does
   * not look as if it were new. If not all have, some hold what others do not: all are to have it
   * again, or what is written meanwhile through one that has forgotten would differ for good.
   */
  async #forget(
    partition: PartitionId,
    fence: number,
    confirmed: Pick<ReapRequest, "entries" | "cuts">,
  ): Promise<Blocked | undefined> {
    const blocked = await this.#forgetEverywhere(partition, fence, confirmed);
    if (blocked !== undefined) {
      this.#parts.missed.noteDiffering(partition, [...confirmed.entries, ...confirmed.cuts]);
    }
    return blocked;
  }

  async #forgetEverywhere(
    partition: PartitionId,
    fence: number,
    confirmed: Pick<ReapRequest, "entries" | "cuts">,
  ): Promise<Blocked | undefined> {
    const { ring, self } = this.#parts;
    const { stamp } = ring();
    const request = { kind: "reap", stamp, partition, fence, ...confirmed } as const;
    const others = ring()
      .owners(partition)
      .filter(({ id }) => id !== self);
    const asked = others.map((member) => this.#reapAt(member, request));
    for (const [at, { id }] of others.entries()) {
      if (!(await (asked[at] as Promise<boolean>))) return { node: id, reason: "away" };
    }
    // Whoever has got a copy of the partition since has raised nothing.
    if (ring().stamp.tag !== stamp.tag) return { node: self, reason: "moving" };
    const own = await this.receiveReap(request);
    return own.kind === "reaped" ? undefined : { node: self, reason: "disk" };
  }

  async #raiseAt(
    member: Member,
    request: PeerRequest & { readonly kind: "raise-fence" },
  ): Promise<FenceRaisedResponse | undefined> {
    if (member.id === this.#parts.self) return raiseFence(this.#parts, request);
    const response = await this.#ask(member, request);
    return response?.kind === "fence-raised" ? response : undefined;
  }

  async #reapAt(member: Member, request: ReapRequest): Promise<boolean> {
    for (let tries = 0; tries < triesMax && !this.#isStopped; tries += 1) {
      const response = await this.#ask(member, request);
      if (response?.kind === "reaped") return true;
    }
    return false;
  }

  #ask(member: Member, request: PeerRequest): Promise<PeerResponse | undefined> {
    return askPeer(this.#parts, member, request, callMs);
  }

  #pause(ms: number): Promise<void> {
    const { clock } = this.#parts;
    const { promise, settle } = oneShot<void>();
    const cancel = clock.at(clock.monotonicMs() + ms, settle);
    this.#wake = () => {
      cancel();
      settle();
    };
    if (this.#isStopped) this.#wake();
    return promise;
  }
}

/** True if the owner at this place of the ring's list holds copies of the entry's bucket. */
function isHeldBy(position: number, entry: ListedEntry | undefined): boolean {
  return entry !== undefined && position >= 0 && position < classIn(entry.digest.low);
}
