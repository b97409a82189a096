import type { Token } from "@coterie/core";
import type { Clock } from "@coterie/ports";
import type { EntryKind } from "./log/format.ts";
import type { Group, GroupWaiter } from "./log/group.ts";
import type { Admission, Log } from "./log/log.ts";
import type { Held, PlacedKey, StoredRecord, Update, UpdateOutcome } from "./store.ts";
import { laneOf } from "./token-lane.ts";

/**
 * What an update may add to a record beyond the bytes it announced: a context's vector, dead write
 * ids; and room for entries of the store's own.
 */
const marginBytes = 8 * 1024;

const changed: UpdateOutcome = { ok: true, changed: true };
const unchanged: UpdateOutcome = { ok: true, changed: false };
const diskFull: UpdateOutcome = { ok: false, code: "disk-full" };

/** What is held, as an engine finds and changes it; `Lookup`: what it found of a key. */
export interface Holdings<Lookup> {
  /** Finds a key's record: at once, within the call, unless the disk has to be read. */
  lookup(key: PlacedKey, settle: (lookup: Lookup) => void): void;
  /** Bytes of the record that was found. */
  bytesOf(lookup: Lookup): number;
  heldOf(key: PlacedKey, lookup: Lookup): Held;
  /** The group that what was found, or its absence, is to become durable with. */
  groupOf(key: PlacedKey, lookup: Lookup): Group | undefined;
  /** Appends what is held from now on to the log. */
  append(key: PlacedKey, lookup: Lookup, stored: StoredRecord): Group;
  /** Removes what was found for good; `undefined`: it stays. */
  remove(key: PlacedKey, lookup: Lookup): Group | undefined;
}

export interface UpdateParts<Lookup> {
  readonly clock: Clock;
  readonly log: Log;
  readonly holdings: Holdings<Lookup>;
  /** Asks for room for a record of so many bytes, in the log and wherever else it is to go. */
  readonly admit: (bytes: number) => Admission;
  /** Only the reserve is left. */
  readonly isSpaceLow: () => boolean;
  /** The log found no space. True if some is being released, so that waiting makes sense. */
  readonly onFull: () => boolean;
}

/** A power of two: among so many, updates under way at once rarely share a lane. */
const laneCount = 4096;
/** Copied for every store: that is far quicker than making so many anew. */
const emptyLanes: readonly (PendingUpdate | undefined)[] = Array.from({ length: laneCount });

/** Updates that came between two questions whether all have run. */
interface Era {
  /** Of them, those that have neither run nor been refused. */
  waiting: number;
  whenOver: (() => void) | undefined;
}

interface Settler {
  settle(pending: PendingUpdate, outcome: UpdateOutcome): void;
}

/** An update under way; the only object that lives as long as it does. */
class PendingUpdate implements GroupWaiter {
  readonly key: PlacedKey;
  readonly update: Update;
  readonly era: Era;
  /** The next update of the same lane. */
  next: PendingUpdate | undefined;
  hasChanged = false;
  readonly #queue: Settler;

  constructor(queue: Settler, key: PlacedKey, update: Update, era: Era) {
    this.#queue = queue;
    this.key = key;
    this.update = update;
    this.era = era;
  }

  becameDurable(): void {
    this.#queue.settle(this, this.hasChanged ? changed : unchanged);
  }
}

interface ControlEntry {
  readonly kind: EntryKind;
  /** Called just before it is appended, and perhaps in vain before that: always of one length. */
  readonly body: () => Uint8Array;
  readonly waiter: GroupWaiter | undefined;
  /** Called with the segment that it was appended to. */
  readonly onAppended: ((segment: number) => void) | undefined;
}

/**
 * Runs the updates of each key one after the other, and lets them wait for the disk or for room in
 * the log. An update whose record is in memory, and for which there is room, happens in the turn in
 * which it came.
 */
export class UpdateQueue<Lookup> implements Settler {
  readonly #parts: UpdateParts<Lookup>;
  /**
   * The last update of each lane that is under way: tokens that share one wait for each other. A
   * `Map` would be made anew every so many updates, to be rid of those that have left.
   */
  readonly #lanes = emptyLanes.slice();
  /** Work that waits for room in the log, in order. */
  #stalled: PendingUpdate[] = [];
  #stalledControls: ControlEntry[] = [];
  /** Of large updates that have begun and neither run nor stalled. */
  #largeBytes = 0;
  #era: Era = { waiting: 0, whenOver: undefined };
  /** Of the eras before it. */
  #applied: Promise<void> = Promise.resolve();
  #whenDrained: (() => void) | undefined;
  #whenFlushed: (() => void)[] = [];
  #isEnded = false;
  bytes = 0;
  operations = 0;
  recordsAppended = 0;

  constructor(parts: UpdateParts<Lookup>) {
    this.#parts = parts;
  }

  submit(key: PlacedKey, update: Update): void {
    const pending = new PendingUpdate(this, key, update, this.#era);
    this.#era.waiting += 1;
    this.bytes += update.bytes;
    this.operations += 1;
    const lane = laneOf(key.token) % laneCount;
    const last = this.#lanes[lane];
    this.#lanes[lane] = pending;
    if (last === undefined) this.#begin(pending);
    else last.next = pending;
  }

  /** True while an update of this token has neither run nor been refused; or one of its lane. */
  isUnderWay(token: Token): boolean {
    return this.#lanes[laneOf(token) % laneCount] !== undefined;
  }

  /** Appends an entry of the store's own, now or when there is room. */
  appendControl(
    kind: EntryKind,
    body: () => Uint8Array,
    waiter?: GroupWaiter,
    onAppended?: (segment: number) => void,
  ): void {
    if (this.#isEnded) return;
    this.#stalledControls.push({ kind, body, waiter, onAppended });
    this.#resumeControls();
  }

  /** There is room again, or surely none. */
  resume(): void {
    if (this.#isEnded) return;
    if (this.#parts.log.isFull) this.#parts.onFull();
    this.#resumeControls();
    if (this.#isFlushed) this.#tellFlushed();
    const stalled = this.#stalled;
    this.#stalled = [];
    for (const [at, pending] of stalled.entries()) {
      this.#begin(pending);
      // Who waits again waits in front of the others, and none of them is looked at in vain.
      if (this.#stalled.length > 0) return void this.#stalled.push(...stalled.slice(at + 1));
    }
  }

  /** Resolves when each update that has come so far has run, or was refused. */
  applied(): Promise<void> {
    const era = this.#era;
    if (era.waiting === 0) return this.#applied;
    this.#era = { waiting: 0, whenOver: undefined };
    const before = this.#applied;
    const ended = new Promise<void>((resolve) => {
      era.whenOver = resolve;
    });
    this.#applied = before.then(() => ended);
    return this.#applied;
  }

  /** Resolves when no update is under way. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.operations === 0 || this.#isEnded) resolve();
      else this.#whenDrained = resolve;
    });
  }

  /** Resolves when the store's own entries are appended; false if the disk has no room for them. */
  async flushed(): Promise<boolean> {
    if (!this.#isFlushed && !this.#isEnded) {
      await new Promise<void>((resolve) => {
        this.#whenFlushed.push(resolve);
      });
    }
    return this.#stalledControls.length === 0;
  }

  /** Nothing is appended any more; what is under way never settles. */
  end(): void {
    this.#isEnded = true;
    this.#whenDrained?.();
    this.#tellFlushed();
  }

  settle(pending: PendingUpdate, outcome: UpdateOutcome): void {
    this.bytes -= pending.update.bytes;
    this.operations -= 1;
    pending.update.settle(outcome);
    if (this.operations === 0) this.#whenDrained?.();
  }

  /**
   * Finds the key's record, has the log admit what the update may make of it, and runs it. What
   * `apply` returns is surely appended: its bytes are at most those held, those that came, and
   * what a clock and the marks of dead writes may add.
   */
  #begin(pending: PendingUpdate): void {
    if (!this.#takeShare(pending.update.bytes)) return void this.#stalled.push(pending);
    this.#parts.holdings.lookup(pending.key, (lookup) => {
      if (!this.#isEnded) this.#admit(pending, lookup);
    });
  }

  /**
   * Large records wait until the group that gathers has room for them, before they are looked up: a
   * group takes some at a time, so that small ones beside them are synced as soon as ever.
   */
  #takeShare(bytes: number): boolean {
    const { log } = this.#parts;
    if (bytes < log.largeBytesMin) return true;
    if (!log.hasShare(bytes, this.#largeBytes)) return false;
    this.#largeBytes += bytes;
    return true;
  }

  /** An update has run or stalled. */
  #giveShare(bytes: number): void {
    if (bytes >= this.#parts.log.largeBytesMin) this.#largeBytes -= bytes;
  }

  #admit(pending: PendingUpdate, lookup: Lookup): void {
    const { update } = pending;
    const heldBytes = this.#parts.holdings.bytesOf(lookup);
    const admission = this.#parts.admit(heldBytes + update.bytes + marginBytes);
    if (admission === "room") return this.#run(pending, lookup);
    const mayCome = admission === "wait" || this.#parts.onFull();
    const mayUse = update.mayUseReserve || !this.#parts.isSpaceLow();
    if (mayCome && mayUse) {
      this.#giveShare(update.bytes);
      this.#stalled.push(pending);
    } else {
      this.#leave(pending);
      this.#settleSoon(pending, diskFull);
    }
  }

  #run(pending: PendingUpdate, lookup: Lookup): void {
    const { key, update } = pending;
    const { holdings } = this.#parts;
    const stored = update.apply(holdings.heldOf(key, lookup));
    if (stored === undefined) this.#settleUnchanged(pending, lookup);
    else {
      const isRemoval = stored === "gone";
      const group = isRemoval ? holdings.remove(key, lookup) : holdings.append(key, lookup, stored);
      if (group === undefined) this.#settleUnchanged(pending, lookup);
      else {
        if (!isRemoval) this.recordsAppended += 1;
        pending.hasChanged = true;
        group.waiters.push(pending);
      }
    }
    this.#leave(pending);
  }

  #settleUnchanged(pending: PendingUpdate, lookup: Lookup): void {
    const group = this.#parts.holdings.groupOf(pending.key, lookup);
    if (group === undefined) this.#settleSoon(pending, unchanged);
    else group.waiters.push(pending);
  }

  #settleSoon(pending: PendingUpdate, outcome: UpdateOutcome): void {
    this.#parts.clock.afterTurn(() => {
      if (!this.#isEnded) this.settle(pending, outcome);
    });
  }

  /** Lets the next update of the lane run, in a turn of its own: a queue is no recursion. */
  #leave(pending: PendingUpdate): void {
    const { era, update } = pending;
    if (update.bytes >= this.#parts.log.largeBytesMin) this.#leaveLarge(update.bytes);
    era.waiting -= 1;
    if (era.waiting === 0) era.whenOver?.();
    const { next } = pending;
    if (next === undefined) this.#lanes[laneOf(pending.key.token) % laneCount] = undefined;
    else this.#parts.clock.afterTurn(() => this.#begin(next));
  }

  /** If it appended nothing, no group will be closed for the sake of those behind it. */
  #leaveLarge(bytes: number): void {
    this.#giveShare(bytes);
    const isLast = this.#largeBytes === 0 && !this.#parts.log.isGathering;
    if (isLast && this.#stalled.length > 0) this.#parts.clock.afterTurn(() => this.resume());
  }

  get #isFlushed(): boolean {
    return this.#stalledControls.length === 0 || (this.#parts.log.isFull && !this.#parts.onFull());
  }

  #tellFlushed(): void {
    const waiting = this.#whenFlushed;
    this.#whenFlushed = [];
    for (const resolve of waiting) resolve();
  }

  #resumeControls(): void {
    const { log } = this.#parts;
    for (let entry = this.#stalledControls[0]; entry !== undefined;) {
      const body = entry.body();
      if (log.admit(body.length) !== "room") return;
      const { group, segment } = log.append(entry.kind, body);
      if (entry.waiter !== undefined) group.waiters.push(entry.waiter);
      entry.onAppended?.(segment);
      this.#stalledControls.shift();
      entry = this.#stalledControls[0];
    }
  }
}
