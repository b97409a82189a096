import { type Member, recordDigest, withClass } from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import type { PlacedKey, RecordVersion, StoredRecord } from "@coterie/storage";
import type { KnownCopy } from "../hot/copy-cache.ts";
import type { SparedRecord } from "../messages.ts";
import type { Coordination } from "./coordination.ts";
import type { Gathered, GatheredAnswer } from "./gather.ts";
import { type ReplicaCopy, askCopy, readOwn } from "./replica-calls.ts";
import type { RequestPlan } from "./request-plan.ts";
import { type GivenCopy, usable } from "./usable-copy.ts";

/**
 * Of records up to so many bytes all are sent: asking again, where replicas differ, would cost more
 * than it spares.
 */
const sparedAboveBytes = 8 * 1024;

/**
 * What the replicas are asked by one read, so that no record travels in vain, nor is read from
 * another disk. Where this node has a copy of its own, or one that an earlier read has left here,
 * it is named, and a replica that holds the same says so, from its index, in place of sending it;
 * one that holds another sends that. Otherwise one replica is asked for its record, and the others
 * only for the version of theirs if it is large.
 *
 * A version that is known here speaks for the very same record, so the answer is what it would be
 * if all were sent. Each replica answers for what it holds when it is asked.
 */
export class SparingRead {
  readonly #coordination: Coordination;
  readonly #plan: RequestPlan;
  readonly #kept: KnownCopy | undefined;
  #known: KnownCopy | undefined;
  /** Of this node's own record, which its disk is being asked for. */
  #named: RecordVersion | undefined;
  /** Somebody has been asked for the record itself, and has not failed. */
  #isOneAsked = false;
  /** Since when this node's own copy is waited for, as it is still being synced. */
  #syncingSinceMs: MonotonicMs | undefined;

  /** @param kept Left by an earlier read. It is no answer, but may stand for those of others. */
  constructor(coordination: Coordination, plan: RequestPlan, kept: KnownCopy | undefined) {
    this.#coordination = coordination;
    this.#plan = plan;
    this.#kept = kept;
    this.#known = kept;
  }

  /** Asks a primary. Settles with nothing if it gives no copy that is an answer. */
  ask(member: Member, settle: (copy: GivenCopy | undefined) => void, isHedge: boolean): void {
    if (member.id === this.#coordination.self) return this.#askOwn(settle);
    const spared = this.#sparedBy(isHedge);
    if (spared === undefined) this.#isOneAsked = true;
    askCopy(this.#coordination, member, this.#plan, { spared, isHedge }, (copy) => {
      if (spared === undefined && copy === undefined) this.#isOneAsked = false;
      settle(this.#inFull(usable(this.#coordination, this.#plan, copy)));
    });
  }

  /** Who is asked because others are silent is not to need one of them to be understood. */
  #sparedBy(isHedge: boolean): SparedRecord | undefined {
    if (this.#known !== undefined) return this.#known.version;
    if (isHedge || !this.#isOneAsked) return undefined;
    return this.#named ?? { digest: undefined, bytes: sparedAboveBytes };
  }

  /** A copy that was only named, in full if this very record is here. */
  #inFull(copy: GivenCopy | undefined): GivenCopy | undefined {
    const known = this.#known;
    if (copy === undefined || known === undefined || !("version" in copy)) return copy;
    if (!isSame(known.version, copy.version)) return copy;
    this.#coordination.counters.recordsSpared += 1;
    return { stored: known.stored, fence: copy.fence };
  }

  /**
   * Whether one more is to be asked at once, as this node's own copy waits for a slow disk: to be
   * synced, that is. One that has to be read would have to be read by the other one as well.
   */
  get needsMore(): boolean {
    if (this.#syncingSinceMs === undefined) return false;
    const { clock, counters, routing } = this.#coordination;
    const { primaries } = this.#plan.replicas;
    if (!routing.isSlowHere(primaries, clock.monotonicMs())) return false;
    counters.readsPastOwn += 1;
    return true;
  }

  #askOwn(settle: (copy: ReplicaCopy | undefined) => void): void {
    const { placed } = this.#plan;
    let isRead = false;
    readOwn(this.#coordination, placed, (copy, version) => {
      isRead = true;
      this.#noteSynced();
      const stored = copy?.stored;
      if (stored === undefined) this.#ownIsGone();
      else if (version !== undefined) this.#known = { stored, version };
      settle(usable(this.#coordination, this.#plan, copy));
    });
    if (!isRead) this.#nameOwn(placed);
  }

  /**
   * While the disk is read, for those who are asked in this turn; unless the record is still being
   * synced, or is about to be: the read may meet another one then.
   */
  #nameOwn(placed: PlacedKey): void {
    const { clock, routing, store } = this.#coordination;
    let isWithin = true;
    let isSyncing = true;
    if (!store.isChanging(placed)) {
      store.name(placed, (version) => {
        if (!isWithin) return;
        isSyncing = false;
        this.#isOneAsked = version !== undefined;
        this.#named = version;
      });
    }
    isWithin = false;
    if (!isSyncing) return;
    this.#syncingSinceMs = clock.monotonicMs();
    routing.ownLoad.began(this.#syncingSinceMs);
  }

  #noteSynced(): void {
    if (this.#syncingSinceMs === undefined) return;
    const { clock, routing } = this.#coordination;
    routing.ownLoad.answered(this.#syncingSinceMs, clock.monotonicMs(), false);
    this.#syncingSinceMs = undefined;
  }

  /** This node's own record could not be read. */
  #ownIsGone(): void {
    this.#isOneAsked = false;
    this.#named = undefined;
  }

  /** All copies in full; `undefined` if some version is of a record that nobody has sent. */
  resolve(gathered: Gathered<GivenCopy>): Gathered<ReplicaCopy> | undefined {
    if (areFull(gathered)) return gathered;
    const { answers } = gathered;
    const given: KnownCopy[] = this.#kept === undefined ? [] : [this.#kept];
    for (const { answer } of answers) {
      if ("version" in answer || answer.stored === undefined) continue;
      given.push({ stored: answer.stored, version: this.#versionOf(answer.stored) });
    }
    const full: GatheredAnswer<ReplicaCopy>[] = [];
    for (const { member, answer } of answers) {
      if (!("version" in answer)) {
        full.push({ member, answer });
        continue;
      }
      const { version, fence } = answer;
      const found = given.find((each) => isSame(each.version, version));
      // A read that failed only counts its answers.
      if (found === undefined && gathered.ok) return undefined;
      this.#coordination.counters.recordsSpared += 1;
      full.push({ member, answer: { stored: found?.stored, fence } });
    }
    return { ...gathered, answers: full };
  }

  #versionOf(stored: StoredRecord): RecordVersion {
    if (stored === this.#known?.stored) return this.#known.version;
    return versionOf(stored, this.#plan.bucket.n);
  }
}

/** True if no copy was only named. */
function areFull(gathered: Gathered<GivenCopy>): gathered is Gathered<ReplicaCopy> {
  for (const { answer } of gathered.answers) if ("version" in answer) return false;
  return true;
}

/** The version of a record, as the index of a replica has it. */
export function versionOf({ bytes }: StoredRecord, n: number): RecordVersion {
  return { digest: withClass(recordDigest(bytes), n), bytes: bytes.length };
}

function isSame(left: RecordVersion, right: RecordVersion): boolean {
  return (
    left.bytes === right.bytes &&
    left.digest.high === right.digest.high &&
    left.digest.low === right.digest.low
  );
}
