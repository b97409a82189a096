import {
  type CausalRecord,
  type Fence,
  type HybridClock,
  type Key,
  type NodeId,
  type PartitionId,
  type Ring,
  type Token,
  decodeRecord,
  limits,
  partitionOf,
  tokenOf,
} from "@coterie/core";
import type { Clock } from "@coterie/ports";
import type {
  Held,
  RecordStore,
  RecordVersion,
  StoredRecord,
  UpdateOutcome,
} from "@coterie/storage";
import { SharedSources } from "../anti-entropy/shared-source.ts";
import type { HintBook } from "../hints/hint-book.ts";
import type {
  FindRequest,
  HintRequest,
  ListRequest,
  MergeRequest,
  PeerRefusal,
  PeerResponse,
  ReadHintRequest,
  ReadRequest,
  RefusedResponse,
  SparedRecord,
} from "../messages.ts";
import type { GainedFences } from "../moves/gained-fences.ts";
import { isSettled, isTaker } from "../moves/roles.ts";
import type { FenceTable } from "../reaping/fence-table.ts";
import type { FencedKey } from "../reaping/fenced-key.ts";
import { ForgottenWrites } from "./forgotten-writes.ts";
import { mergeHeld } from "./merge-held.ts";

/** Tokens listed in one answer, at most. */
const listMax = 1024;

export type MergeOutcome =
  | { readonly ok: true; readonly changed: boolean }
  | { readonly ok: false; readonly code: PeerRefusal };

export interface ReplicaParts {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly store: RecordStore;
  /** What this node holds for others. */
  readonly hints: HintBook;
  readonly hybridClock: HybridClock;
  /** What was read too early is refused by it. */
  readonly fences: FenceTable;
  /** Whether it is known what that is, in partitions that this node is getting. */
  readonly gained: Pick<GainedFences, "mayTake">;
  ring(): Ring;
}

/**
 * A node's copies of the partitions it holds, as other nodes and its own coordinator use them.
 * Replicas only merge: a record that was already covered changes nothing, so every request may
 * arrive late, twice or out of order.
 *
 * Owners of a partition take records, and so do those who will be. Who was one and has a copy left
 * takes nothing any more: it hands over what it has, and what came after that would be lost with
 * its copy.
 */
export class Replica {
  /** What is compared with peers. */
  readonly sources: SharedSources;
  /** Ids of writes that records here say nothing of any more. */
  readonly forgotten: ForgottenWrites;
  readonly #parts: ReplicaParts;

  constructor(parts: ReplicaParts) {
    this.#parts = parts;
    this.sources = new SharedSources(parts);
    this.forgotten = new ForgottenWrites(parts.clock);
  }

  /** The place of `key` under the ring of now, and under the fence of now. */
  place(key: Key): FencedKey {
    const { settings } = this.#parts.ring();
    const token = tokenOf(key, settings);
    const partition = partitionOf(token, settings.partitions);
    const fence = this.fence(partition).raised;
    return { bucket: key.bucket, key: key.key, token, partition, fence };
  }

  partitionOf(token: Token): PartitionId {
    return partitionOf(token, this.#parts.ring().settings.partitions);
  }

  /** The fence in force; what is read from now on is read under it. */
  fence(partition: number): Fence {
    return this.#parts.fences.of(partition);
  }

  /** Answers a {@link MergeRequest} when the merged record is durable here. */
  receiveMerge(request: MergeRequest, settle: (response: PeerResponse) => void): void {
    const decoded = decodeRecord(request.record);
    if (!decoded.ok) return settle(refusal("malformed", decoded.reason));
    const placed = this.place(decoded);
    if (!this.takes(placed.partition)) return settle(this.notOwner(placed.partition));
    if (request.stamp.tag !== this.#parts.ring().stamp.tag) {
      return settle(refusal("stale-epoch", "the partitions have moved on since it came"));
    }
    // How many copies there are of it, which its digest says, is not known either.
    if (this.#parts.ring().bucket(placed.bucket) === undefined) {
      return settle(refusal("no-such-bucket", `there is no bucket ${placed.bucket} here`));
    }
    const incoming = { record: decoded.record, bytes: request.record };
    this.merge({ ...placed, fence: request.fence }, incoming, (outcome) => {
      if (!outcome.ok) return settle(refusal(outcome.code, "the record was not stored"));
      // Who compares copies under the owners of now may have done so before this was stored: a vote
      // under earlier owners would not be among what they have seen.
      if (this.#parts.ring().stamp.tag !== request.stamp.tag) {
        return settle(refusal("stale-epoch", "the owners changed before it was stored"));
      }
      settle({ kind: "merged", changed: outcome.changed });
    });
  }

  /** Merges `incoming` into the copy held; `settle` is called when the result is durable. */
  merge(placed: FencedKey, incoming: StoredRecord, settle: (outcome: MergeOutcome) => void): void {
    const { fences, store } = this.#parts;
    if (fences.isBehind(placed.partition, placed.fence)) {
      return settle({ ok: false, code: "behind-fence" });
    }
    if (!this.#observeTimes(placed, incoming.record)) {
      return settle({ ok: false, code: "clock-skew" });
    }
    if (!this.#parts.gained.mayTake(placed.partition, placed.fence)) {
      return settle({ ok: false, code: "not-ready" });
    }
    store.observeOwnCounter(incoming.record.clock.get(store.actor));
    const before = this.#parts.ring();
    let isLate = false;
    store.update(placed, {
      bytes: incoming.bytes.length,
      mayUseReserve: incoming.record.siblings.length === 0,
      apply: (held) => {
        isLate = this.#hasMoved(placed.partition, before);
        return isLate ? undefined : this.#merged(placed, held, incoming);
      },
      settle: (outcome) => {
        settle(isLate ? { ok: false, code: "stale-epoch" } : mergeOutcomeOf(outcome));
      },
    });
  }

  #merged(placed: FencedKey, held: Held, incoming: StoredRecord): StoredRecord | undefined {
    const { forgotten } = this;
    const came = forgotten.without(placed, held, incoming);
    const after = mergeHeld(placed, held, came);
    if (after === undefined || held.state !== "present") return after;
    forgotten.note(placed.token, held.stored.record, after.record);
    if (after !== came) forgotten.note(placed.token, came.record, after.record);
    return after;
  }

  /**
   * True if a partition has begun to move, or has moved on, since a record for it came: whoever
   * gets it may have been shown already what is here, without this record.
   */
  #hasMoved(partition: number, before: Ring): boolean {
    const ring = this.#parts.ring();
    if (ring === before || ring.stamp.tag === before.stamp.tag) return false;
    return !isSettled(ring, partition) || !this.takes(partition);
  }

  /** Answers a {@link ReadRequest} with what is durable here. */
  receiveRead(request: ReadRequest, settle: (response: PeerResponse) => void): void {
    const placed = this.place(request);
    if (!this.takes(placed.partition)) return settle(this.notOwner(placed.partition));
    const { spared } = request;
    if (spared === undefined) return this.#answerRead(placed, settle);
    this.#parts.store.name(placed, (version) => {
      if (version === undefined || !isSpared(version, spared)) this.#answerRead(placed, settle);
      else
        settle({
          kind: "version",
          ...version,
          fence: this.fenceSince(placed.partition, placed.fence),
        });
    });
  }

  #answerRead(placed: FencedKey, settle: (response: PeerResponse) => void): void {
    this.#parts.store.read(placed, (outcome) => {
      if (outcome.ok)
        settle(responseOf(outcome.held, this.fenceSince(placed.partition, placed.fence)));
      else settle(refusal(outcome.code === "failed" ? "internal" : outcome.code, "not read"));
    });
  }

  /** What was read under this number, and what was reaped by now. */
  fenceSince(partition: PartitionId, raised: number): Fence {
    const now = this.fence(partition);
    return now.raised === raised ? now : { raised, reaped: now.reaped };
  }

  /** Answers a {@link HintRequest} when the hint is durable here. */
  receiveHint(request: HintRequest, settle: (response: PeerResponse) => void): void {
    const decoded = decodeRecord(request.record);
    if (!decoded.ok) return settle(refusal("malformed", decoded.reason));
    const placed = this.place(decoded);
    const problem = this.#problemAsFallback(placed, request.target);
    if (problem !== undefined) return settle(problem);
    const incoming = { record: decoded.record, bytes: request.record };
    this.hold(request.target, { ...placed, fence: request.fence }, incoming, (outcome) => {
      settle(
        outcome.ok
          ? { kind: "merged", changed: outcome.changed }
          : refusal(outcome.code, `the hint for ${request.target} was not stored`),
      );
    });
  }

  /**
   * Merges `incoming` into what is held here for `target`, a primary of the key, or one to be, as
   * this node is none; `settle` is called when the result is durable.
   */
  hold(
    target: NodeId,
    placed: FencedKey,
    incoming: StoredRecord,
    settle: (outcome: MergeOutcome) => void,
  ): void {
    if (this.#observeTimes(placed, incoming.record)) this.keep(target, placed, incoming, settle);
    else settle({ ok: false, code: "clock-skew" });
  }

  /**
   * As {@link hold}, what this node has made: its times are of no other clock, and those of now for
   * everybody else, though its own clock may have been set back since it last went by it.
   */
  keep(
    target: NodeId,
    placed: FencedKey,
    made: StoredRecord,
    settle: (outcome: MergeOutcome) => void,
  ): void {
    // This node has said that it holds nothing of the partition: so it takes nothing from before.
    if (placed.fence < this.fence(placed.partition).raised) {
      settle({ ok: false, code: "behind-fence" });
    } else this.#parts.hints.hold(target, placed, made, settle);
  }

  /** Answers a {@link ReadHintRequest} with what is durable here, for whichever primaries. */
  receiveReadHint(request: ReadHintRequest, settle: (response: PeerResponse) => void): void {
    const placed = this.place(request);
    const problem = this.#problemAsFallback(placed, undefined);
    if (problem !== undefined) return settle(problem);
    this.#parts.hints.read(placed, (held) =>
      settle(responseOf(held, this.fenceSince(placed.partition, placed.fence))),
    );
  }

  receiveFind(request: FindRequest, settle: (response: PeerResponse) => void): void {
    if (!this.holds(request.partition)) return settle(this.notOwner(request.partition));
    const fence = this.fence(request.partition);
    this.#parts.store.find(request, (found) => {
      if (found === "unknown") settle({ kind: "unknown" });
      else settle({ kind: "found", records: found.map((stored) => stored.bytes), fence });
    });
  }

  receiveList(request: ListRequest, settle: (response: PeerResponse) => void): void {
    if (!this.takes(request.partition)) return settle(this.notOwner(request.partition));
    const { store } = this.#parts;
    const limit = Math.min(request.limit, listMax);
    const { partition, after, skipsEmpty } = request;
    void store.list(partition, after, limit, skipsEmpty).then((entries) => {
      if (!request.evenIfDamaged && this.#mayLackKeys(partition)) settle({ kind: "unknown" });
      else
        settle({
          kind: "listed",
          entries: entries.map(({ token, digest }) => ({ token, digest })),
        });
    });
  }

  /** A key that is in no list is not looked up: so a list that may lack one is no answer. */
  #mayLackKeys(partition: PartitionId): boolean {
    const { partitions, isWhole } = this.#parts.store.damage();
    return !isWhole || partitions.includes(partition);
  }

  /**
   * In `lww` buckets a timestamp decides what is shown, so one from a clock far ahead is refused:
   * it would win every conflict until time caught up with it.
   */
  #observeTimes({ bucket }: Key, record: CausalRecord): boolean {
    const { clock, hybridClock } = this.#parts;
    if (this.#parts.ring().bucket(bucket)?.policy !== "lww") return true;
    const wallMs = clock.wallMs();
    return record.siblings.every((sibling) => hybridClock.observe(sibling.writtenAt, wallMs));
  }

  /** True if records of the partition are taken here. */
  takes(partition: number): boolean {
    const ring = this.#parts.ring();
    return partition < ring.settings.partitions && isTaker(ring, this.#parts.self, partition);
  }

  /** True if there is a copy of the partition here, be it a part of one or left over. */
  holds(partition: number): boolean {
    const ring = this.#parts.ring();
    return partition < ring.settings.partitions && ring.isHolder(this.#parts.self, partition);
  }

  /** Why this node can hold nothing of the key for `target`, or for anybody. */
  #problemAsFallback(
    { bucket: name, partition }: FencedKey,
    target: NodeId | undefined,
  ): RefusedResponse | undefined {
    const { self } = this.#parts;
    const ring = this.#parts.ring();
    const bucket = ring.bucket(name);
    if (bucket === undefined) return refusal("no-such-bucket", `there is no bucket ${name}`);
    const primaries = ring.owners(partition).slice(0, bucket.n);
    if (primaries.some(({ id }) => id === self)) {
      return refusal("not-fallback", `${self} is a primary of partition ${partition} itself`);
    }
    // It would have to hand it over before it is gone, again and again.
    if (target !== undefined && ring.member(self)?.departure !== undefined) {
      return refusal("not-fallback", `${self} is leaving`);
    }
    if (target === undefined || primaries.some(({ id }) => id === target)) return undefined;
    const next = ring.next(partition)?.slice(0, bucket.n) ?? [];
    if (next.some(({ id }) => id === target)) return undefined;
    return refusal("not-fallback", `${target} is no primary of partition ${partition}`);
  }

  /** What to say to who thinks so. */
  notOwner(partition: number): RefusedResponse {
    return refusal("not-owner", `${this.#parts.self} does not own partition ${partition}`);
  }
}

function isSpared({ digest, bytes }: RecordVersion, spared: SparedRecord): boolean {
  if (spared.digest === undefined) return bytes > spared.bytes;
  const { high, low } = spared.digest;
  return bytes === spared.bytes && digest.high === high && digest.low === low;
}

function responseOf(held: Held, fence: Fence): PeerResponse {
  if (held.state === "present") return { kind: "present", record: held.stored.bytes, fence };
  return held.state === "absent" ? { kind: "absent", fence } : { kind: "unknown" };
}

function mergeOutcomeOf(outcome: UpdateOutcome): MergeOutcome {
  if (outcome.ok) return outcome;
  return { ok: false, code: outcome.code === "failed" ? "internal" : outcome.code };
}

/** A refusal: surely nothing was done. */
export function refusal(code: PeerRefusal, message: string): RefusedResponse {
  return { kind: "refused", code, outcome: "refused", message, primaries: 0, fallbacks: 0 };
}

/** True if a record is so contended that an operator should know. */
export function isOverWarning(record: CausalRecord): boolean {
  return (
    record.siblings.length >= limits.siblingsPerKeyWarn ||
    record.clock.size >= limits.actorsPerKeyWarn
  );
}
