import type { ActorId, Digest, Dot, PartitionId, RangeDigest, Token } from "@coterie/core";
import type { Clock, Disk, Random } from "@coterie/ports";
import { ActorMinter } from "./actor-minter.ts";
import { lookupAll } from "./bulk-lookup.ts";
import { dueEmpty } from "./index/due.ts";
import { firstEntries, listEntries } from "./index/list-entries.ts";
import type { Location } from "./index/location.ts";
import type { RecordIndex } from "./index/record-index.ts";
import { entryHeaderBytes, entryKinds, pageOf } from "./log/format.ts";
import { Log, type LogStart } from "./log/log.ts";
import { SegmentFiles } from "./log/segment-files.ts";
import type { GroupWaiter } from "./log/group.ts";
import type { Housekeeping } from "./maintenance/housekeeping.ts";
import { RecordCache } from "./record-cache.ts";
import { LogHoldings } from "./log-holdings.ts";
import { type Lookup, RecordLoader } from "./record-loader.ts";
import {
  type ActorMark,
  type DamageMark,
  encodeActorMark,
  encodeDamageMark,
} from "./recovery/control-entries.ts";
import type { Damage, DamagedEntry } from "./recovery/damage.ts";
import type { Recovered } from "./recovery/recover.ts";
import { type Discards, encodeDiscard } from "./recovery/discards.ts";
import { type Removal, type Removals, encodeRemovals, ownLsn } from "./recovery/removals.ts";
import type {
  Choice,
  ChoiceQuery,
  DamagedToken,
  DigestQuery,
  ExpiredQuery,
  FindAllQuery,
  FindQuery,
  Held,
  IndexEntry,
  KnownDamage,
  PlacedEntry,
  PlacedKey,
  PlacedToken,
  ReadOutcome,
  RecordStore,
  RecordVersion,
  StoredRecord,
  StoreOptions,
  StoreStatistics,
  Update,
} from "./store.ts";
import { UpdateQueue } from "./update-queue.ts";

export interface StorePorts {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly random: Random;
}

export interface StoreState {
  readonly index: RecordIndex;
  readonly damage: Damage;
  readonly removals: Removals;
  readonly discards: Discards;
  readonly start: LogStart;
  readonly resume: ActorMark | undefined;
}

/** Reads of the disk at once, above which more are refused as overloaded. */
const readsPendingMax = 4096;

/**
 * The log is the database: an index in memory says where in the log each record is. See
 * docs/internals/log-format.md for the files, and {@link RecordStore} for the promises.
 */
export class LogStore implements RecordStore {
  readonly log: Log;
  readonly files: SegmentFiles;
  readonly index: RecordIndex;
  /** What the directory is known to have lost. */
  readonly lost: Damage;
  /** What is held no more, and must not come back from an older part of the log. */
  readonly removals: Removals;
  readonly discards: Discards;
  readonly #clock: Clock;
  readonly #options: StoreOptions;
  readonly #loader: RecordLoader;
  readonly #updates: UpdateQueue<Lookup>;
  readonly #minter: ActorMinter;
  readonly #awaitingDurable = new Set<(isDurable: boolean) => void>();
  #housekeeper: Housekeeping | undefined;
  #nextSegment: number;
  #damagedRecords = 0;
  #isFatal = false;
  #isStopping = false;

  constructor(ports: StorePorts, options: StoreOptions, state: StoreState) {
    const { clock } = ports;
    this.#clock = clock;
    this.#options = options;
    this.index = state.index;
    this.lost = state.damage;
    this.removals = state.removals;
    this.discards = state.discards;
    this.files = new SegmentFiles(ports.disk);
    this.files.adopt(state.start.open.segment, state.start.open.file);
    this.#nextSegment = state.start.open.segment;
    this.#minter = new ActorMinter(ports.random, state.resume, (mark, onDurable) => {
      const waiter = { becameDurable: onDurable };
      this.#updates.appendControl(entryKinds.actor, () => encodeActorMark(mark), waiter);
    });
    this.#loader = new RecordLoader({
      index: this.index,
      files: this.files,
      cache: new RecordCache(options.cacheBytes),
      isDamaged: (token, location) => this.lost.holds(token, location),
      onDamage: (partition, token, { segment, offset }, detail) =>
        this.noteDamage({ partition, token, segment, offset }, detail),
    });
    this.log = new Log({
      ...ports,
      ...options,
      start: state.start,
      preamble: () => ({ kind: entryKinds.actor, body: encodeActorMark(this.#minter.mark) }),
      nextSegmentNumber: () => this.takeSegmentNumber(),
      onRoom: () => this.#updates.resume(),
      onDurable: (group) => this.#loader.noteDurable(group),
      onRotated: (segment, bytes) => {
        this.index.use(segment).total = bytes;
      },
      onOpened: (open) => this.files.adopt(open.segment, open.file),
      onFatal: (reason) => this.fail(reason),
    });
    this.#updates = new UpdateQueue({
      clock,
      log: this.log,
      holdings: new LogHoldings({
        log: this.log,
        index: this.index,
        loader: this.#loader,
        damage: this.lost,
        classOf: options.classOf,
        removals: this.removals,
        lastSegment: () => this.#nextSegment,
      }),
      admit: (bytes) => this.log.admit(bytes),
      isSpaceLow: () => this.#housekeeper?.space.isLow ?? false,
      onFull: () => this.#housekeeper?.space.ranOut() ?? false,
    });
  }

  /** Writes what a new storage lifetime begins with; then lets the background work begin. */
  async begin(
    housekeeper: Housekeeping,
    found: Pick<Recovered, "lostWholeness" | "newlyDamaged" | "lostWithRemovals">,
  ): Promise<"begun" | "disk-full" | "io"> {
    this.#housekeeper = housekeeper;
    await housekeeper.space.find();
    this.#minter.record();
    if (found.lostWholeness) this.#recordMark("damaged", "directory");
    for (const each of found.newlyDamaged) this.#recordMark("damaged", each);
    await this.rewriteRemovals(found.lostWithRemovals);
    const hasRoom = await this.#updates.flushed();
    if (!(await this.durable())) return "io";
    if (!hasRoom) return "disk-full";
    housekeeper.begin();
    return "begun";
  }

  get actor(): ActorId {
    return this.#minter.actor;
  }

  mint(): Dot {
    return this.#minter.mint();
  }

  observeOwnCounter(counter: number): void {
    if (counter <= this.#minter.minted) return;
    this.#minter.renew();
    this.#noteNewActor("a peer holds dots never minted here");
  }

  read(key: PlacedKey, settle: (outcome: ReadOutcome) => void): void {
    if (this.#isFatal || this.#isStopping) return settle({ ok: false, code: "failed" });
    if (this.#isUnknown(key)) return settle({ ok: true, held: { state: "unknown" } });
    if (this.#loader.readsPending >= readsPendingMax) {
      return settle({ ok: false, code: "overloaded" });
    }
    const atHand = this.#loader.atHand(key);
    if (atHand !== undefined) return settle(atHand);
    this.#loader.lookup(key, (lookup) => {
      if (this.#isFatal) return settle({ ok: false, code: "failed" });
      // Damage may have been found while this very record was read, and an update have put another
      // one in its place since, which is not all that there was.
      if (lookup === "damaged" || this.#isUnknown(key)) {
        return settle({ ok: true, held: { state: "unknown" } });
      }
      if (typeof lookup !== "object") {
        return this.#loader.whenRemoved(key.token, {
          becameDurable: () => settle({ ok: true, held: { state: "absent" } }),
        });
      }
      const held: Held = { state: "present", stored: lookup.stored };
      this.#loader.whenDurable(lookup.location, {
        becameDurable: () => settle({ ok: true, held }),
      });
    });
  }

  name(key: PlacedKey, settle: (version: RecordVersion | undefined) => void): void {
    const location = this.index.findOne(key.partition, key.token);
    const isOver = this.#isFatal || this.#isStopping;
    if (isOver || location === undefined || this.#isUnknown(key)) return settle(undefined);
    const version = { digest: location.digest, bytes: location.length - entryHeaderBytes };
    if (this.#loader.groupOf(location) === undefined) return settle(version);
    this.#loader.whenDurable(location, { becameDurable: () => settle(version) });
  }

  isChanging({ token }: PlacedKey): boolean {
    return this.#updates.isUnderWay(token);
  }

  bytesHeld({ partition, token }: PlacedKey): number {
    return this.index.bytesOf(partition, token);
  }

  update(key: PlacedKey, update: Update): void {
    const isOver = this.#updates.bytes + update.bytes > this.#options.queueBytesMax;
    if (this.#isFatal || this.#isStopping) this.#refuse(update, "failed");
    else if (!update.mayUseReserve && this.#isSpaceLow) this.#refuse(update, "disk-full");
    // A record larger than the whole queue passes alone.
    else if (isOver && this.#updates.operations > 0) this.#refuse(update, "overloaded");
    else this.#updates.submit(key, update);
  }

  find(
    { partition, token, evenIfDamaged }: FindQuery,
    settle: (outcome: readonly StoredRecord[] | "unknown") => void,
  ): void {
    const mayAnswer = evenIfDamaged || !this.#isUnknown({ partition, token });
    if (!mayAnswer || this.#isFatal || this.#isStopping) return settle("unknown");
    this.#loader.lookupToken(partition, token, (found, isDamaged) => {
      const isUnknown = isDamaged || this.#isUnknown({ partition, token });
      if ((isUnknown && !evenIfDamaged) || this.#isFatal) return settle("unknown");
      let pending = found.length;
      const becameDurable = (): void => {
        pending -= 1;
        if (pending <= 0) settle(found.map(({ stored }) => stored));
      };
      if (pending === 0) return becameDurable();
      for (const { location } of found) this.#loader.whenDurable(location, { becameDurable });
    });
  }

  findAll(
    query: FindAllQuery,
    settle: (found: readonly (readonly Uint8Array[])[] | "unknown") => void,
  ): void {
    if (this.#isFatal || this.#isStopping) return settle("unknown");
    const { index, files, lost: damage } = this;
    void lookupAll({ index, files, loader: this.#loader, damage }, query).then((found) => {
      settle(this.#isFatal ? "unknown" : found);
    });
  }

  list(
    partition: PartitionId,
    after: Token | undefined,
    limit: number,
    skipsEmpty: boolean = false,
  ): Promise<readonly IndexEntry[]> {
    return Promise.resolve(listEntries(this.index, { partition, after, limit, skipsEmpty }));
  }

  entriesAt(places: readonly PlacedToken[]): Promise<readonly PlacedEntry[]> {
    const entries: PlacedEntry[] = [];
    for (const { partition, token } of places) {
      for (const { segment, offset, length, digest } of this.index.find(partition, token)) {
        entries.push({ token, digest, bytes: length, place: pageOf(segment, offset) });
      }
    }
    return Promise.resolve(entries);
  }

  root(partition: PartitionId, above: number): RangeDigest {
    return this.index.root(partition, above);
  }

  digest({ partition, above, range }: DigestQuery): Promise<RangeDigest> {
    return Promise.resolve(this.index.digest(partition, { ...range, above }));
  }

  choose(query: ChoiceQuery): Promise<Choice> {
    return Promise.resolve(this.index.choose(query));
  }

  tombstones(
    partition: PartitionId,
    after: Token | undefined,
    limit: number,
  ): Promise<readonly IndexEntry[]> {
    if (this.index.emptyIn(partition) === 0) return Promise.resolve([]);
    const isEmpty = ({ due }: Location): boolean => due === dueEmpty;
    return Promise.resolve(firstEntries(this.index, { partition, after, limit }, isEmpty));
  }

  wide(
    partition: PartitionId,
    after: Token | undefined,
    limit: number,
  ): Promise<readonly IndexEntry[]> {
    if (this.index.wideIn(partition) === 0) return Promise.resolve([]);
    const isWanted = ({ isWide }: Location): boolean => isWide;
    return Promise.resolve(firstEntries(this.index, { partition, after, limit }, isWanted));
  }

  holding(
    partition: PartitionId,
    entries: readonly Pick<IndexEntry, "token" | "digest">[],
  ): Promise<readonly boolean[]> {
    const held = entries.map(({ token, digest }) => this.#holds(partition, token, digest));
    return Promise.resolve(held);
  }

  #holds(partition: PartitionId, token: Token, digest: Digest): boolean {
    return this.index
      .find(partition, token)
      .some(
        (location) =>
          location.digest.high === digest.high &&
          location.digest.low === digest.low &&
          !this.lost.holds(token, location),
      );
  }

  expired({ partition, untilMs, after, limit }: ExpiredQuery): Promise<readonly Token[]> {
    const untilS = Math.floor(untilMs / 1000);
    return Promise.resolve(this.index.due(partition, untilS, after, limit));
  }

  damage(): KnownDamage {
    const { partitions, isWhole } = this.lost;
    return { tokens: this.lost.tokens(), partitions, isWhole };
  }

  markRefilled(partition: PartitionId, token: Token): void {
    const entries = this.lost.remove(token);
    // What could be refilled has taken the place of these; what is left is nobody's any more.
    for (const entry of entries) this.index.remove(partition, token, entry);
    const [first] = entries;
    if (first !== undefined) this.#recordMark("refilled", first);
  }

  markPartitionWhole(partition: PartitionId): void {
    if (this.lost.regainPartition(partition)) this.#recordMark("refilled", partition);
  }

  markWhole(): void {
    if (this.lost.isWhole) return;
    this.lost.isWhole = true;
    this.#recordMark("refilled", "directory");
  }

  async discard(partition: PartitionId): Promise<boolean> {
    if (this.#isFatal || this.#isStopping) return false;
    let isAppended = false;
    const body = (): Uint8Array =>
      encodeDiscard({ partition, lsn: ownLsn, horizon: this.#nextSegment });
    this.#updates.appendControl(entryKinds.discarded, body, undefined, (segment) => {
      isAppended = true;
      const discard = { partition, lsn: this.log.lsn - 1, horizon: this.#nextSegment };
      this.discards.add(segment, discard);
      this.index.clear(partition);
      this.lost.losePartition(partition);
      this.#forgetWhatWasMinted("a partition was thrown away");
      this.#housekeeper?.onDamage();
    });
    await this.#updates.flushed();
    return isAppended && (await this.durable());
  }

  get keys(): number {
    return this.index.count;
  }

  async markLost(): Promise<boolean> {
    this.lost.isWhole = false;
    this.#recordMark("damaged", "directory");
    const hasRoom = await this.#updates.flushed();
    return hasRoom && this.durable();
  }

  statistics(): StoreStatistics {
    let bytesLive = 0;
    let bytesOnDisk = this.log.end;
    for (const { live, total } of this.index.uses().values()) {
      bytesLive += live;
      bytesOnDisk += total;
    }
    const background = this.#housekeeper?.counters;
    const { groups, fsyncs, fsyncMsTotal, fsyncMsMax, fsyncCounts, bytesAppended } =
      this.log.counters;
    // Field by field: an object that grows by twenty fields after a spread is built in steps.
    return {
      groups,
      fsyncs,
      fsyncMsTotal,
      fsyncMsMax,
      fsyncCounts,
      bytesAppended,
      keys: this.keys,
      tombstones: this.index.empty,
      wide: this.index.wide,
      indexBytes: this.index.bytes,
      segments: this.index.uses().size,
      bytesLive,
      bytesDead: Math.max(0, bytesOnDisk - bytesLive),
      bytesOnDisk,
      recordsAppended: this.#updates.recordsAppended,
      queueBytes: this.#updates.bytes,
      queueOperations: this.#updates.operations,
      readsFromDisk: this.#loader.readsFromDisk,
      readsFromCache: this.#loader.readsFromCache,
      damagedRecords: this.#damagedRecords,
      removals: this.removals.count,
      isDiskFull: this.#isSpaceLow,
      bytesCompacted: background?.bytesCompacted ?? 0,
      compactions: background?.compactions ?? 0,
      checkpoints: background?.checkpoints ?? 0,
      scrubbedBytes: background?.scrubbedBytes ?? 0,
    };
  }

  async scrub(): Promise<void> {
    await this.#housekeeper?.scrubAll();
  }

  async compact(): Promise<void> {
    await this.#housekeeper?.compactAll();
  }

  async lendReserve(): Promise<boolean> {
    return (await this.#housekeeper?.space.lend()) ?? false;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#updates.drained();
    await this.#housekeeper?.stop();
    if (!this.#isFatal) await this.#recordCleanStop();
    this.#updates.end();
    await this.log.close();
    await this.files.closeAll();
  }

  applied(): Promise<void> {
    return this.#updates.applied();
  }

  durable(): Promise<boolean> {
    if (this.#isFatal) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#awaitingDurable.add(resolve);
      const waiter: GroupWaiter = {
        becameDurable: () => {
          this.#awaitingDurable.delete(resolve);
          resolve(true);
        },
      };
      this.log.whenDurable(waiter);
    });
  }

  /** True if every record of the segment is on the disk and none will be added. */
  isSealed(segment: number): boolean {
    return !this.log.isOpen(segment);
  }

  takeSegmentNumber(): number {
    this.#nextSegment += 1;
    return this.#nextSegment;
  }

  /** Writes what is known of damage again: the segments with the first marks are going. */
  recordDamageAgain(): void {
    if (!this.lost.isWhole) this.#recordMark("damaged", "directory");
    for (const partition of this.lost.partitions) this.#recordMark("damaged", partition);
    for (const entry of this.lost.entries()) this.#recordMark("damaged", entry);
  }

  /**
   * Writes the removals and discards again that were last written to these segments, for those are
   * going. False if the disk has no room for that: then the segments must stay.
   */
  async rewriteRemovals(segments: readonly number[]): Promise<boolean> {
    const { log, removals, discards } = this;
    const leaving = segments.filter((segment) => removals.segments().includes(segment));
    const discardsLeaving = discards.all().filter(({ segment }) => segments.includes(segment));
    if (leaving.length === 0 && discardsLeaving.length === 0) return true;
    for (const segment of leaving) {
      for (const batch of removals.batchesIn(segment)) this.#appendRemovals(batch);
    }
    for (const { discard } of discardsLeaving) {
      const body = (): Uint8Array => encodeDiscard(discard);
      this.#updates.appendControl(entryKinds.discarded, body, undefined, (segment) =>
        discards.add(segment, discard),
      );
    }
    if (!(await this.#updates.flushed()) || !(await this.durable())) return false;
    await log.harden();
    for (const segment of leaving) removals.leave(segment);
    return true;
  }

  #appendRemovals(batch: readonly Removal[]): void {
    const body = (): Uint8Array => encodeRemovals(batch);
    this.#updates.appendControl(entryKinds.gone, body, undefined, (segment) => {
      for (const removal of batch) this.removals.add(segment, removal);
    });
  }

  /** Forgets the removals that only segments could contradict which are no more. */
  forgetRemovals(): void {
    let oldest = this.log.replayStart.segment;
    for (const segment of this.index.uses().keys()) oldest = Math.min(oldest, segment);
    this.removals.forgetBefore(oldest);
    this.discards.forgetBefore(oldest);
  }

  /** Notes that a record is damaged: this directory has forgotten something. */
  noteDamage(damaged: DamagedEntry, detail: string): void {
    if (!this.#addDamage(damaged)) return;
    this.reportDamage(String(damaged.segment), `${detail} at ${damaged.offset}`);
  }

  /** Notes that a segment's file is gone, with the records that the index says are in it. */
  noteMissing(segment: number, records: Iterable<DamagedEntry>): void {
    let count = 0;
    for (const damaged of records) if (this.#addDamage(damaged)) count += 1;
    if (count > 0) this.reportDamage(String(segment), `its file is gone, with ${count} records`);
  }

  /** Reports damage, and has a checkpoint written that knows of it. */
  reportDamage(segment: string, detail: string): void {
    this.#options.onEvent({ kind: "damage", segment, detail });
    this.#housekeeper?.onDamage();
  }

  #addDamage(damaged: DamagedEntry): boolean {
    if (!this.lost.add(damaged)) return false;
    this.#damagedRecords += 1;
    this.#recordMark("damaged", damaged);
    this.#forgetWhatWasMinted("a record was damaged");
    return true;
  }

  /** The disk cannot be trusted any more: from now on nothing is acknowledged. */
  fail(reason: string): void {
    if (this.#isFatal) return;
    this.#isFatal = true;
    this.#updates.end();
    for (const resolve of this.#awaitingDurable) resolve(false);
    this.#awaitingDurable.clear();
    this.#options.onFatal(reason);
  }

  get #isSpaceLow(): boolean {
    return this.#housekeeper?.space.isLow ?? false;
  }

  #isUnknown({ partition, token }: DamagedToken): boolean {
    return this.lost.isUnknown(partition, token);
  }

  #refuse({ settle }: Update, code: "disk-full" | "overloaded" | "failed"): void {
    this.#clock.afterTurn(() => settle({ ok: false, code }));
  }

  #recordMark(kind: "damaged" | "refilled", damaged: DamageMark): void {
    this.#updates.appendControl(entryKinds[kind], () => encodeDamageMark(damaged));
  }

  /** An actor that has not minted yet claims to have seen nothing: it may stay. */
  #forgetWhatWasMinted(reason: string): void {
    if (this.#minter.minted === 0) return;
    this.#minter.renew();
    this.#noteNewActor(reason);
  }

  async #recordCleanStop(): Promise<void> {
    const { actor, minted } = this.#minter;
    const mark = encodeActorMark({ actor, counter: minted });
    this.#updates.appendControl(entryKinds.cleanStop, () => mark);
    await this.#updates.flushed();
    this.#updates.end();
    await this.durable();
  }

  #noteNewActor(reason: string): void {
    this.#options.onEvent({ kind: "new-actor", actor: this.#minter.actor, reason });
  }
}
