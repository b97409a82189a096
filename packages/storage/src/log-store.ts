import {
  type ActorId,
  type Dot,
  type PartitionId,
  type Token,
  decodeRecord,
  decodeRecordKey,
  equalBytes,
  invariant,
  recordDigest,
} from "@coterie/core";
import type { Clock, Disk, Random } from "@coterie/ports";
import { ActorMinter } from "./actor-minter.ts";
import type { Location } from "./index/partition-index.ts";
import type { RecordIndex } from "./index/record-index.ts";
import { type EntryKind, decodeEntry, entryKinds, placeOf } from "./log/format.ts";
import type { Group } from "./log/group.ts";
import { type Appended, Log, type LogStart } from "./log/log.ts";
import { SegmentFiles } from "./log/segment-files.ts";
import { type ActorMark, encodeActorMark, encodeDamageMark } from "./recovery/control-entries.ts";
import type { Damage } from "./recovery/damage.ts";
import type {
  DamagedToken,
  FindQuery,
  Held,
  IndexEntry,
  PlacedKey,
  ReadOutcome,
  RecordStore,
  StoredRecord,
  StoreOptions,
  StoreStatistics,
  Update,
  UpdateOutcome,
} from "./store.ts";

export interface StorePorts {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly random: Random;
}

export interface StoreState {
  readonly index: RecordIndex;
  readonly damage: Damage;
  readonly start: LogStart;
  readonly resume: ActorMark | undefined;
}

/** Background work that the store tells of what happens, and asks for its counters. */
export interface Housekeeping {
  onRotated(): void;
  onDamage(): void;
  statistics(): Pick<
    StoreStatistics,
    "bytesCompacted" | "compactions" | "checkpoints" | "scrubbedBytes"
  >;
  stop(): Promise<void>;
}

/** A record that is appended and not yet durable. */
interface Unsynced {
  readonly stored: StoredRecord;
  readonly group: Group;
}

/** Where a key's record was found, and the record. */
interface Found {
  readonly location: Location;
  readonly stored: StoredRecord;
}

/**
 * What an update may add to a record beyond the bytes it announced: a context's vector, dead write
 * ids; and room for entries of the store's own.
 */
const marginBytes = 8 * 1024;

/**
 * The log is the database: an index in memory says where in the log each record is. See
 * docs/internals/log-format.md for the files, and {@link RecordStore} for the promises.
 */
export class LogStore implements RecordStore {
  readonly #ports: StorePorts;
  readonly #options: StoreOptions;
  readonly #log: Log;
  readonly #files: SegmentFiles;
  readonly #index: RecordIndex;
  readonly #damage: Damage;
  readonly #minter: ActorMinter;
  readonly #unsynced = new Map<number, Unsynced>();
  /** Updates that wait for their key's record to be read, by token. */
  readonly #busy = new Map<number, (() => void)[]>();
  /** Work that waits for room in the log, in order. */
  #stalled: (() => void)[] = [];
  #queueBytes = 0;
  #queueOperations = 0;
  #readsFromDisk = 0;
  #readsFromCache = 0;
  #damagedRecords = 0;
  #recordsAppended = 0;
  #isFatal = false;
  #isSpaceLow = false;
  #nextSegment: number;
  housekeeping: Housekeeping | undefined;

  constructor(ports: StorePorts, options: StoreOptions, state: StoreState) {
    this.#ports = ports;
    this.#options = options;
    this.#index = state.index;
    this.#damage = state.damage;
    this.#files = new SegmentFiles(ports.disk);
    this.#files.adopt(state.start.open.segment, state.start.open.file);
    this.#nextSegment = state.start.open.segment;
    this.#minter = new ActorMinter(ports.random, state.resume, (mark) => {
      this.#appendControl(entryKinds.actor, encodeActorMark(mark));
    });
    this.#log = new Log({
      clock: ports.clock,
      disk: ports.disk,
      partitions: options.partitions,
      segmentBytes: options.segmentBytes,
      durability: options.durability,
      start: state.start,
      preamble: () => [{ kind: entryKinds.actor, body: encodeActorMark(this.#minter.mark) }],
      nextSegmentNumber: () => this.takeSegmentNumber(),
      onRoom: () => this.#resumeStalled(),
      onDurable: (group) => this.#forgetUnsynced(group),
      onRotated: (sealed, bytes) => {
        this.#index.use(sealed.segment).total = bytes;
        this.housekeeping?.onRotated();
      },
      onOpened: (open) => this.#files.adopt(open.segment, open.file),
      onFatal: (reason) => this.#fail(reason),
    });
  }

  get actor(): ActorId {
    return this.#minter.actor;
  }

  get index(): RecordIndex {
    return this.#index;
  }

  get files(): SegmentFiles {
    return this.#files;
  }

  get log(): Log {
    return this.#log;
  }

  /** What compaction and checkpoints need to know of damage. */
  get knownDamage(): Damage {
    return this.#damage;
  }

  mint(): Dot {
    return this.#minter.mint();
  }

  observeOwnCounter(counter: number): void {
    if (counter > this.#minter.minted) this.#renewActor("a peer holds dots never minted here");
  }

  takeSegmentNumber(): number {
    this.#nextSegment += 1;
    return this.#nextSegment;
  }

  /** Writes the actor in force into the log: the first entry of a storage lifetime. */
  recordActor(): void {
    this.#appendControl(entryKinds.actor, encodeActorMark(this.#minter.mark));
  }

  recordCleanStop(): void {
    const { actor, minted } = this.#minter;
    this.#appendControl(entryKinds.cleanStop, encodeActorMark({ actor, counter: minted }));
  }

  recordLostWholeness(): void {
    this.#appendControl(entryKinds.damaged, encodeDamageMark(undefined));
  }

  /** True while the disk has no room but the reserve. */
  set isSpaceLow(value: boolean) {
    if (value === this.#isSpaceLow) return;
    this.#isSpaceLow = value;
    this.#options.onEvent({ kind: value ? "disk-full" : "disk-space-back" });
    if (!value) this.#resumeStalled();
  }

  get isSpaceLow(): boolean {
    return this.#isSpaceLow;
  }

  /** Called when allocation found the disk full: somebody may release the reserve. */
  onFull: () => void = () => undefined;

  read(key: PlacedKey, settle: (outcome: ReadOutcome) => void): void {
    if (this.#isFatal) return settle({ ok: false, code: "failed" });
    if (!this.#damage.isWhole || this.#damage.has(key.token)) {
      return settle({ ok: true, held: { state: "unknown" } });
    }
    this.#findKey(key, 0, (found) => {
      if (found === "damaged") return settle({ ok: true, held: { state: "unknown" } });
      if (found === undefined) return settle({ ok: true, held: { state: "absent" } });
      const held: Held = { state: "present", stored: found.stored };
      this.#whenDurable(found.location, (isDurable) => {
        settle(isDurable ? { ok: true, held } : { ok: false, code: "failed" });
      });
    });
  }

  update(key: PlacedKey, update: Update): void {
    const { settle } = update;
    const refuse = (code: "disk-full" | "overloaded" | "failed"): void =>
      this.#ports.clock.afterTurn(() => settle({ ok: false, code }));
    if (this.#isFatal) return refuse("failed");
    if (this.#isSpaceLow && !update.mayUseReserve) return refuse("disk-full");
    if (this.#queueBytes + update.bytes > this.#options.queueBytesMax) return refuse("overloaded");
    this.#queueBytes += update.bytes;
    this.#queueOperations += 1;
    const counted = (outcome: UpdateOutcome): void => {
      this.#queueBytes -= update.bytes;
      this.#queueOperations -= 1;
      settle(outcome);
    };
    this.#inTurn(key.token, () => this.#tryUpdate(key, update, counted));
  }

  find(
    { partition, token, evenIfDamaged }: FindQuery,
    settle: (outcome: readonly StoredRecord[] | "unknown") => void,
  ): void {
    const isUnknown = !this.#damage.isWhole || this.#damage.has(token);
    if (isUnknown && !evenIfDamaged) return settle("unknown");
    const locations = this.#index.find(partition, token);
    const found: StoredRecord[] = [];
    let pending = locations.length;
    let isDamaged = false;
    if (pending === 0) return settle(found);
    const done = (): void => {
      pending -= 1;
      if (pending > 0) return;
      settle(isDamaged && !evenIfDamaged ? "unknown" : found);
    };
    for (const location of locations) {
      this.#load(partition, token, location, (stored) => {
        if (stored === undefined) {
          isDamaged = true;
          return done();
        }
        found.push(stored);
        this.#whenDurable(location, done);
      });
    }
  }

  list(partition: PartitionId, after: Token | undefined, limit: number): readonly IndexEntry[] {
    const entries: IndexEntry[] = [];
    if (limit < 1) return entries;
    for (const { token, location } of this.#index.entriesAfter(partition, after)) {
      entries.push({ token, digest: location.digest, bytes: location.length });
      if (entries.length >= limit) break;
    }
    return entries;
  }

  damage(): { readonly tokens: readonly DamagedToken[]; readonly isWhole: boolean } {
    return { tokens: this.#damage.tokens(), isWhole: this.#damage.isWhole };
  }

  markRefilled(partition: PartitionId, token: Token): void {
    if (!this.#damage.remove(token)) return;
    this.#appendControl(entryKinds.refilled, encodeDamageMark({ partition, token }));
  }

  markWhole(): void {
    if (this.#damage.isWhole) return;
    this.#damage.isWhole = true;
    this.#appendControl(entryKinds.refilled, encodeDamageMark(undefined));
  }

  /** Notes that the record at `token` is damaged: this directory has forgotten something. */
  noteDamage(damaged: DamagedToken, segment: number, detail: string): void {
    if (!this.#damage.add(damaged)) return;
    this.#damagedRecords += 1;
    this.#appendControl(entryKinds.damaged, encodeDamageMark(damaged));
    this.#renewActor("a record was damaged");
    this.#options.onEvent({ kind: "damage", segment: String(segment), detail });
    this.housekeeping?.onDamage();
  }

  statistics(): StoreStatistics {
    let bytesLive = 0;
    let bytesOnDisk = 0;
    for (const { live, total } of this.#index.uses().values()) {
      bytesLive += live;
      bytesOnDisk += total;
    }
    bytesOnDisk += this.#log.end.offset;
    const { groups, fsyncs, fsyncMsTotal, fsyncMsMax, bytesAppended } = this.#log.counters;
    const background = this.housekeeping?.statistics();
    return {
      keys: this.#index.count,
      indexBytes: this.#index.bytes,
      segments: this.#index.uses().size,
      bytesLive,
      bytesDead: Math.max(0, bytesOnDisk - bytesLive),
      bytesOnDisk,
      bytesAppended,
      recordsAppended: this.#recordsAppended,
      groups,
      fsyncs,
      fsyncMsTotal,
      fsyncMsMax,
      queueBytes: this.#queueBytes,
      queueOperations: this.#queueOperations,
      readsFromDisk: this.#readsFromDisk,
      readsFromCache: this.#readsFromCache,
      damagedRecords: this.#damagedRecords,
      isDiskFull: this.#isSpaceLow,
      bytesCompacted: background?.bytesCompacted ?? 0,
      compactions: background?.compactions ?? 0,
      checkpoints: background?.checkpoints ?? 0,
      scrubbedBytes: background?.scrubbedBytes ?? 0,
    };
  }

  async stop(): Promise<void> {
    if (!this.#isFatal) await this.housekeeping?.stop();
    await this.#files.closeAll();
  }

  /** Resolves once everything appended so far is durable; false if it never will be. */
  durable(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#log.whenDurable(resolve);
    });
  }

  /**
   * Finds the key's record, has the log admit what the update may make of it, and runs it. What
   * `apply` returns is surely appended: its bytes are at most those held, those that came, and
   * what a clock and the marks of dead writes may add.
   */
  #tryUpdate(key: PlacedKey, update: Update, settle: (outcome: UpdateOutcome) => void): void {
    this.#findKey(key, 0, (found) => {
      const heldBytes = typeof found === "object" ? found.stored.bytes.length : 0;
      const admission = this.#log.admit(heldBytes + update.bytes + marginBytes);
      if (admission === "room") return this.#runUpdate(key, found, update, settle);
      if (admission === "full") this.onFull();
      if (this.#isFatal || (admission === "full" && !update.mayUseReserve)) {
        const code = this.#isFatal ? "failed" : "disk-full";
        this.#leave(key.token);
        return settle({ ok: false, code });
      }
      this.#stalled.push(() => this.#tryUpdate(key, update, settle));
    });
  }

  #runUpdate(
    key: PlacedKey,
    found: Found | "damaged" | undefined,
    update: Update,
    settle: (outcome: UpdateOutcome) => void,
  ): void {
    const current = typeof found === "object" ? found : undefined;
    const isLost = found === "damaged" || !this.#damage.isWhole;
    const changed = update.apply(
      current !== undefined
        ? { state: "present", stored: current.stored }
        : { state: isLost ? "unknown" : "absent" },
    );
    if (changed !== undefined) this.#append(key, found, changed, settle);
    else if (current === undefined) this.#settleSoon(settle);
    else {
      const { location } = current;
      if (this.isDurable(location)) this.#settleSoon(settle);
      else {
        this.#whenDurable(location, (isDurable) => {
          settle(isDurable ? { ok: true, changed: false } : { ok: false, code: "failed" });
        });
      }
    }
    this.#leave(key.token);
  }

  #settleSoon(settle: (outcome: UpdateOutcome) => void): void {
    this.#ports.clock.afterTurn(() => settle({ ok: true, changed: false }));
  }

  #append(
    key: PlacedKey,
    found: Found | "damaged" | undefined,
    changed: StoredRecord,
    settle: (outcome: UpdateOutcome) => void,
  ): void {
    const appended = this.#log.append(entryKinds.record, changed.bytes);
    const location = locationOf(appended, changed);
    const { partition, token } = key;
    const replaced = found === "damaged" ? this.#damagedLocation(key) : found?.location;
    if (replaced === undefined) this.#index.insert(partition, token, location);
    else {
      const isMoved = this.#index.move(partition, token, replaced, location);
      invariant(isMoved, "a key's entry stays where it is while its update runs");
    }
    const place = placeOf(appended.segment, appended.offset);
    this.#recordsAppended += 1;
    this.#options.cache.set(place, changed);
    this.#unsynced.set(place, { stored: changed, group: appended.group });
    appended.group.places.push(place);
    appended.group.waiters.push((isDurable) => {
      settle(isDurable ? { ok: true, changed: true } : { ok: false, code: "failed" });
    });
  }

  /** The entry whose record cannot be read: taken to be this key's, if it is the only one. */
  #damagedLocation({ partition, token }: PlacedKey): Location | undefined {
    const locations = this.#index.find(partition, token);
    return locations.length === 1 ? locations[0] : undefined;
  }

  /** Finds the record of exactly this key among the entries with its token. */
  #findKey(
    key: PlacedKey,
    from: number,
    settle: (found: Found | "damaged" | undefined) => void,
    isDamaged: boolean = false,
  ): void {
    const location = this.#index.find(key.partition, key.token)[from];
    if (location === undefined) return settle(isDamaged ? "damaged" : undefined);
    this.#load(key.partition, key.token, location, (stored) => {
      // Compaction may have moved the entry while it was read: then look again.
      if (!this.#isAt(key, location)) return this.#findKey(key, 0, settle);
      if (stored === undefined) return this.#findKey(key, from + 1, settle, true);
      if (isOfKey(stored, key)) return settle({ location, stored });
      this.#findKey(key, from + 1, settle, isDamaged);
    });
  }

  #isAt({ partition, token }: PlacedKey, { segment, offset }: Location): boolean {
    return this.#index
      .find(partition, token)
      .some((now) => now.segment === segment && now.offset === offset);
  }

  /** Loads the record at `location`, at once if it is in memory; `undefined` if it is damaged. */
  #load(
    partition: PartitionId,
    token: Token,
    location: Location,
    settle: (stored: StoredRecord | undefined) => void,
  ): void {
    const { segment, offset, length } = location;
    const place = placeOf(segment, offset);
    const inMemory = this.#unsynced.get(place)?.stored ?? this.#options.cache.get(place);
    if (inMemory !== undefined) {
      this.#readsFromCache += 1;
      return settle(inMemory);
    }
    this.#readsFromDisk += 1;
    this.#files.read(segment, offset, length, (content) => {
      const stored = content.ok ? decodeStored(content.value, length) : undefined;
      if (stored !== undefined) {
        this.#options.cache.set(place, stored);
        return settle(stored);
      }
      const moved = this.#index.find(partition, token);
      const isMoved = !moved.some((now) => now.segment === segment && now.offset === offset);
      // Compaction moved the record and removed its old segment between our look and our read.
      if (isMoved && moved[0] !== undefined) return this.#load(partition, token, moved[0], settle);
      const detail = content.ok ? `bad record at ${offset}` : content.message;
      this.noteDamage({ partition, token }, segment, detail);
      settle(undefined);
    });
  }

  isDurable({ segment, offset }: Location): boolean {
    return !this.#unsynced.has(placeOf(segment, offset));
  }

  #whenDurable({ segment, offset }: Location, settle: (isDurable: boolean) => void): void {
    const unsynced = this.#unsynced.get(placeOf(segment, offset));
    if (unsynced === undefined) return settle(!this.#isFatal);
    unsynced.group.waiters.push(settle);
  }

  #forgetUnsynced(group: Group): void {
    for (const place of group.places) this.#unsynced.delete(place);
  }

  /** Runs `start` when no earlier update of the token is under way. */
  #inTurn(token: Token, start: () => void): void {
    const lane = laneOf(token);
    const waiting = this.#busy.get(lane);
    if (waiting !== undefined) {
      waiting.push(start);
      return;
    }
    this.#busy.set(lane, []);
    start();
  }

  /** Lets the next update of the token run, in a turn of its own: a queue is no recursion. */
  #leave(token: Token): void {
    const lane = laneOf(token);
    const next = this.#busy.get(lane)?.shift();
    if (next === undefined) this.#busy.delete(lane);
    else this.#ports.clock.afterTurn(next);
  }

  #resumeStalled(): void {
    if (this.#log.isFull) this.onFull();
    const stalled = this.#stalled;
    this.#stalled = [];
    for (const resume of stalled) resume();
  }

  #appendControl(kind: EntryKind, body: Uint8Array): void {
    if (this.#isFatal) return;
    if (this.#log.admit(body.length) === "room") this.#log.append(kind, body);
    else this.#stalled.unshift(() => this.#appendControl(kind, body));
  }

  #renewActor(reason: string): void {
    const actor = this.#minter.renew();
    this.#options.onEvent({ kind: "new-actor", actor, reason });
  }

  /** Background work found that the disk cannot be trusted. */
  fail(reason: string): void {
    this.#fail(reason);
  }

  #fail(reason: string): void {
    if (this.#isFatal) return;
    this.#isFatal = true;
    this.#options.onFatal(reason);
  }
}

function locationOf(appended: Appended, { bytes }: StoredRecord): Location {
  const { segment, offset, length } = appended;
  return { segment, offset, length, digest: recordDigest(bytes) };
}

/** The record of a log entry, checked; in memory of its own. */
export function decodeStored(bytes: Uint8Array, length: number): StoredRecord | undefined {
  const entry = bytes.length === length ? decodeEntry(bytes, 0, length) : undefined;
  if (entry === undefined || entry.kind !== entryKinds.record) return undefined;
  const own = entry.body.slice();
  const decoded = decodeRecord(own);
  return decoded.ok ? { record: decoded.record, bytes: own } : undefined;
}

function isOfKey(stored: StoredRecord, key: PlacedKey): boolean {
  const found = decodeRecordKey(stored.bytes);
  return found !== undefined && found.bucket === key.bucket && equalBytes(found.key, key.key);
}

/** One lane per token, or very nearly: tokens that share one merely wait for each other. */
function laneOf(token: Token): number {
  return token.high * 0x10_0000 + (token.low >>> 12);
}
