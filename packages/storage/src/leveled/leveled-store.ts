import {
  type ActorId,
  type Dot,
  type PartitionId,
  type RangeDigest,
  type Token,
  equalDigests,
} from "@coterie/core";
import type { Clock, File, KeyValueEngine } from "@coterie/ports";
import { ActorMinter } from "../actor-minter.ts";
import { dueEmpty } from "../index/due.ts";
import type { StorePorts } from "../log-store.ts";
import { entryKinds } from "../log/format.ts";
import type { GroupWaiter } from "../log/group.ts";
import { type Admission, Log, type LogStart } from "../log/log.ts";
import {
  type ActorMark,
  type DamageMark,
  encodeActorMark,
  encodeDamageMark,
} from "../recovery/control-entries.ts";
import type { Damage, DamagedEntry } from "../recovery/damage.ts";
import { encodeDiscard } from "../recovery/discards.ts";
import { encodeRemovals, ownLsn } from "../recovery/removals.ts";
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
  RecordVersion,
  RecordStore,
  StoredRecord,
  StoreOptions,
  StoreStatistics,
  Update,
} from "../store.ts";
import { UpdateQueue } from "../update-queue.ts";
import { engineCall } from "./engine-promises.ts";
import type { LeveledHousekeeping } from "./leveled-housekeeping.ts";
import { RowHoldings, type RowLookup, placeIn } from "./row-holdings.ts";
import type { FoundRow, Rows } from "./rows.ts";
import type { Summaries } from "./summaries.ts";
import { emptyRow, storedOf } from "./token-row.ts";
import { chooseTokens, digestOf, dueTokens, listEntries } from "./walks.ts";

/** Reads of the engine at once, above which more are refused as overloaded. */
const readsPendingMax = 4096;
/** Tokens of which records are read at once. */
const findTokens = 64;

/** Keeps the files of the log until they are removed. */
export interface SegmentCloser {
  adopt(segment: number, file: File): void;
  release(segment: number): Promise<void>;
  closeAll(): Promise<void>;
}

export interface LeveledState {
  readonly rows: Rows;
  readonly summaries: Summaries;
  readonly damage: Damage;
  readonly start: LogStart;
  readonly resume: ActorMark | undefined;
}

/**
 * A store whose records and index are in a key-value engine, so that memory does not grow with the
 * number of keys. What is acknowledged is in the log; what has gathered there is moved into the
 * engine now and then. See docs/internals/engine-format.md, and {@link RecordStore} for the
 * promises.
 */
export class LeveledStore implements RecordStore {
  readonly log: Log;
  readonly rows: Rows;
  readonly summaries: Summaries;
  /** What the directory is known to have lost. */
  readonly lost: Damage;
  isFatal = false;
  readonly #clock: Clock;
  readonly #engine: KeyValueEngine;
  readonly #options: StoreOptions;
  readonly #updates: UpdateQueue<RowLookup>;
  readonly #minter: ActorMinter;
  readonly #awaitingDurable = new Set<(isDurable: boolean) => void>();
  /** Segments left behind, and their bytes. */
  readonly #sealed = new Map<number, number>();
  readonly #files: SegmentCloser;
  #upkeep: LeveledHousekeeping | undefined;
  #nextSegment: number;
  #damagedRecords = 0;
  #isStopping = false;

  constructor(
    ports: StorePorts,
    options: StoreOptions,
    state: LeveledState,
    engine: KeyValueEngine,
    files: SegmentCloser,
  ) {
    const { clock } = ports;
    this.#clock = clock;
    this.#engine = engine;
    this.#options = options;
    this.rows = state.rows;
    this.summaries = state.summaries;
    this.lost = state.damage;
    this.#nextSegment = state.start.open.segment;
    this.#files = files;
    files.adopt(state.start.open.segment, state.start.open.file);
    this.#minter = new ActorMinter(ports.random, state.resume, (mark, onDurable) => {
      const waiter = { becameDurable: onDurable };
      this.#updates.appendControl(entryKinds.actor, () => encodeActorMark(mark), waiter);
    });
    this.log = new Log({
      ...ports,
      ...options,
      start: state.start,
      preamble: () => ({ kind: entryKinds.actor, body: encodeActorMark(this.#minter.mark) }),
      nextSegmentNumber: () => {
        this.#nextSegment += 1;
        return this.#nextSegment;
      },
      onRoom: () => this.#updates.resume(),
      onDurable: (group) => this.rows.noteDurable(group),
      onRotated: (segment, bytes) => this.#sealed.set(segment, bytes),
      onOpened: (open) => files.adopt(open.segment, open.file),
      onFatal: (reason) => this.fail(reason),
    });
    this.#updates = new UpdateQueue({
      clock,
      log: this.log,
      holdings: new RowHoldings({
        log: this.log,
        rows: this.rows,
        damage: this.lost,
        classOf: options.classOf,
      }),
      admit: (bytes) => this.#admit(bytes),
      isSpaceLow: () => this.#isSpaceLow,
      onFull: () => this.#upkeep?.space.ranOut() ?? false,
    });
  }

  /** Writes what a new storage lifetime begins with, and lets the background work begin. */
  async begin(
    upkeep: LeveledHousekeeping,
    found: {
      readonly lostWholeness: boolean;
      readonly damaged: readonly (PlacedToken | PartitionId)[];
    },
  ): Promise<"begun" | "disk-full" | "io"> {
    this.#upkeep = upkeep;
    await upkeep.space.find();
    this.#minter.record();
    if (found.lostWholeness) this.#recordMark("damaged", "directory");
    for (const lost of found.damaged) {
      this.#recordMark("damaged", typeof lost === "number" ? lost : entryAt(lost));
    }
    const hasRoom = await this.#updates.flushed();
    if (!(await this.durable())) return "io";
    if (!hasRoom) return "disk-full";
    upkeep.begin();
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
    if (this.isFatal || this.#isStopping) return settle({ ok: false, code: "failed" });
    if (this.#isUnknown(key)) return settle({ ok: true, held: { state: "unknown" } });
    if (this.rows.readsPending >= readsPendingMax) {
      return settle({ ok: false, code: "overloaded" });
    }
    this.rows.find(key, ({ row, group }) => {
      if (this.isFatal) return settle({ ok: false, code: "failed" });
      // Damage may have been found by this very read.
      if (row.isDamaged || this.#isUnknown(key)) {
        return settle({ ok: true, held: { state: "unknown" } });
      }
      const entry = row.entries[placeIn(row, key)];
      const held: Held =
        entry === undefined ? { state: "absent" } : { state: "present", stored: storedOf(entry) };
      this.rows.whenDurable(group, () => settle({ ok: true, held }));
    });
  }

  name(key: PlacedKey, settle: (version: RecordVersion | undefined) => void): void {
    const found = this.rows.inMemory(key);
    const [entry, other] = found?.row.entries ?? [];
    const isOver = this.isFatal || this.#isStopping;
    const isOne = entry !== undefined && other === undefined;
    if (isOver || found === undefined || !isOne || this.#isUnknown(key)) return settle(undefined);
    const version = { digest: entry.digest, bytes: entry.encoded.length };
    this.rows.whenDurable(found.group, () => settle(version));
  }

  isChanging({ token }: PlacedKey): boolean {
    return this.#updates.isUnderWay(token);
  }

  bytesHeld({ partition, token }: PlacedKey): number {
    const held = this.rows.inMemory({ partition, token });
    if (held !== undefined) return held.row.counted.reduce((sum, { bytes }) => sum + bytes, 0);
    const keys = this.summaries.of(partition, "keys");
    return keys === 0 ? 0 : Math.ceil(this.summaries.of(partition, "bytes") / keys);
  }

  update(key: PlacedKey, update: Update): void {
    const isOver = this.#updates.bytes + update.bytes > this.#options.queueBytesMax;
    if (this.isFatal || this.#isStopping) this.#refuse(update, "failed");
    else if (!update.mayUseReserve && this.#isSpaceLow) this.#refuse(update, "disk-full");
    // A record larger than the whole queue passes alone.
    else if (isOver && this.#updates.operations > 0) this.#refuse(update, "overloaded");
    else this.#updates.submit(key, update);
  }

  find(
    { partition, token, evenIfDamaged }: FindQuery,
    settle: (outcome: readonly StoredRecord[] | "unknown") => void,
  ): void {
    const place = { partition, token };
    const mayAnswer = evenIfDamaged || !this.#isUnknown(place);
    if (!mayAnswer || this.isFatal || this.#isStopping) return settle("unknown");
    this.rows.find(place, ({ row, group }) => {
      const isUnknown = row.isDamaged || this.#isUnknown(place);
      if ((isUnknown && !evenIfDamaged) || this.isFatal) return settle("unknown");
      this.rows.whenDurable(group, () => settle(row.entries.map(storedOf)));
    });
  }

  findAll(
    query: FindAllQuery,
    settle: (found: readonly (readonly Uint8Array[])[] | "unknown") => void,
  ): void {
    if (this.isFatal || this.#isStopping) return settle("unknown");
    void this.#findAll(query).then((found) => settle(this.isFatal ? "unknown" : found));
  }

  async list(
    partition: PartitionId,
    after: Token | undefined,
    limit: number,
    skipsEmpty: boolean = false,
  ): Promise<readonly IndexEntry[]> {
    const stretch = { partition, after, limit };
    return listEntries(this.rows, stretch, ({ due }) => !skipsEmpty || due !== dueEmpty);
  }

  async entriesAt(places: readonly PlacedToken[]): Promise<readonly PlacedEntry[]> {
    const all = await this.rows.countedAt(places);
    return all.flatMap((counted, at) => {
      const { token } = places[at] as PlacedToken;
      // In the engine, records lie in the order of their tokens.
      return counted.map(({ digest, bytes }) => ({ token, digest, bytes, place: token.high }));
    });
  }

  root(partition: PartitionId, above: number): RangeDigest {
    return this.summaries.root(partition, above);
  }

  digest(query: DigestQuery): Promise<RangeDigest> {
    return digestOf(this.rows, query);
  }

  choose(query: ChoiceQuery): Promise<Choice> {
    return chooseTokens(this.rows, query);
  }

  async tombstones(
    partition: PartitionId,
    after: Token | undefined,
    limit: number,
  ): Promise<readonly IndexEntry[]> {
    if (this.summaries.of(partition, "empty") === 0) return [];
    const stretch = { partition, after, limit };
    const found = await listEntries(this.rows, stretch, ({ due }) => due === dueEmpty);
    return found.slice(0, limit);
  }

  async wide(
    partition: PartitionId,
    after: Token | undefined,
    limit: number,
  ): Promise<readonly IndexEntry[]> {
    if (this.summaries.of(partition, "wide") === 0) return [];
    const found = await listEntries(this.rows, { partition, after, limit }, ({ isWide }) => isWide);
    return found.slice(0, limit);
  }

  async holding(
    partition: PartitionId,
    entries: readonly Pick<IndexEntry, "token" | "digest">[],
  ): Promise<readonly boolean[]> {
    const all = await this.rows.countedAt(entries.map(({ token }) => ({ partition, token })));
    return all.map((counted, at) => {
      const { token, digest } = entries[at] as Pick<IndexEntry, "token" | "digest">;
      const isHeld = counted.some((each) => equalDigests(each.digest, digest));
      return isHeld && !this.lost.has(token);
    });
  }

  expired(query: ExpiredQuery): Promise<readonly Token[]> {
    return dueTokens(this.rows, this.summaries, query);
  }

  damage(): KnownDamage {
    const { partitions, isWhole } = this.lost;
    return { tokens: this.lost.tokens(), partitions, isWhole };
  }

  markRefilled(partition: PartitionId, token: Token): void {
    const [first] = this.lost.remove(token);
    if (first === undefined) return;
    // What could be refilled has taken its place; what is left is nobody's any more.
    if (this.rows.broken(token) !== undefined) this.#removeBroken({ partition, token });
    this.#recordMark("refilled", first);
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
    if (this.isFatal || this.#isStopping) return false;
    let isAppended = false;
    const body = (): Uint8Array => encodeDiscard({ partition, lsn: ownLsn, horizon: 0 });
    this.#updates.appendControl(entryKinds.discarded, body, undefined, () => {
      isAppended = true;
      this.rows.discard(partition);
      this.lost.losePartition(partition);
      this.#forgetWhatWasMinted("a partition was thrown away");
    });
    await this.#updates.flushed();
    return isAppended && (await this.durable());
  }

  get keys(): number {
    return this.summaries.keys;
  }

  async markLost(): Promise<boolean> {
    this.lost.isWhole = false;
    this.#recordMark("damaged", "directory");
    const hasRoom = await this.#updates.flushed();
    return hasRoom && this.durable();
  }

  statistics(): StoreStatistics {
    let logBytes = this.log.end;
    for (const bytes of this.#sealed.values()) logBytes += bytes;
    const background = this.#upkeep?.counters;
    const { groups, fsyncs, fsyncMsTotal, fsyncMsMax, fsyncCounts, bytesAppended } =
      this.log.counters;
    const bytesOnDisk = logBytes + (this.#upkeep?.engineBytes ?? 0);
    const bytesLive = this.summaries.bytes;
    return {
      groups,
      fsyncs,
      fsyncMsTotal,
      fsyncMsMax,
      fsyncCounts,
      bytesAppended,
      keys: this.keys,
      tombstones: this.summaries.empty,
      wide: this.summaries.wide,
      indexBytes: this.rows.active.bytes + (this.rows.frozen?.bytes ?? 0),
      segments: this.#sealed.size + 1,
      bytesLive,
      bytesDead: Math.max(0, bytesOnDisk - bytesLive),
      bytesOnDisk,
      recordsAppended: this.#updates.recordsAppended,
      queueBytes: this.#updates.bytes,
      queueOperations: this.#updates.operations,
      readsFromDisk: this.rows.readsFromEngine,
      readsFromCache: this.rows.readsFromMemory,
      damagedRecords: this.#damagedRecords,
      removals: 0,
      isDiskFull: this.#isSpaceLow,
      bytesCompacted: background?.bytesCompacted ?? 0,
      compactions: background?.compactions ?? 0,
      checkpoints: background?.checkpoints ?? 0,
      scrubbedBytes: background?.scrubbedBytes ?? 0,
    };
  }

  async scrub(): Promise<void> {
    await this.#upkeep?.scrubAll();
  }

  async compact(): Promise<void> {
    await this.#upkeep?.compactAll();
  }

  async lendReserve(): Promise<boolean> {
    return (await this.#upkeep?.space.lend()) ?? false;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#updates.drained();
    await this.#upkeep?.stop();
    if (!this.isFatal) await this.#recordCleanStop();
    this.#updates.end();
    await this.log.close();
    await this.#files.closeAll();
    await engineCall<void>((settle) => this.#engine.close(settle));
  }

  applied(): Promise<void> {
    return this.#updates.applied();
  }

  /** Resolves once everything appended so far is durable; false if it never will be. */
  durable(): Promise<boolean> {
    if (this.isFatal) return Promise.resolve(false);
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

  /** True if nothing will be added to the segment. */
  isSealed(segment: number): boolean {
    return !this.log.isOpen(segment);
  }

  /** Closes the file of a segment that is to be removed; returns its bytes. */
  async release(segment: number): Promise<number> {
    const bytes = this.#sealed.get(segment) ?? 0;
    this.#sealed.delete(segment);
    await this.#files.release(segment);
    return bytes;
  }

  /** Memory has room again. */
  resumeUpdates(): void {
    this.#updates.resume();
  }

  /** Notes that what a token holds is damaged: this directory has forgotten something. */
  noteDamage(place: PlacedToken, detail: string): void {
    if (this.#isStopping || !this.lost.add(entryAt(place))) return;
    this.#damagedRecords += 1;
    this.#recordMark("damaged", entryAt(place));
    this.#forgetWhatWasMinted("a record was damaged");
    this.#report(`${detail} in partition ${place.partition}`);
  }

  /** Notes that keys nobody can name may be missing from a partition. */
  noteLost(partition: PartitionId, detail: string): void {
    if (this.#isStopping || this.lost.partitions.includes(partition)) return;
    this.lost.losePartition(partition);
    this.#recordMark("damaged", partition);
    this.#forgetWhatWasMinted("a partition was damaged");
    this.#report(`${detail} in partition ${partition}`);
  }

  /** Counts the entries of a partition anew, whose sums are not theirs. */
  async correctSums(partition: PartitionId): Promise<void> {
    if (this.#isStopping) return;
    this.#report(`wrong sums of partition ${partition}`);
    await this.rows.recount(partition);
  }

  /** The disk, or the engine, cannot be trusted any more: from now on nothing is acknowledged. */
  fail(reason: string): void {
    if (this.isFatal) return;
    this.isFatal = true;
    this.#updates.end();
    for (const resolve of this.#awaitingDurable) resolve(false);
    this.#awaitingDurable.clear();
    this.#options.onFatal(reason);
  }

  async #findAll({ places, bytesMax }: FindAllQuery): Promise<readonly (readonly Uint8Array[])[]> {
    const found: Uint8Array[][] = [];
    const groups = new Set<number>();
    let bytes = 0;
    for (let at = 0; at < places.length; at += findTokens) {
      const some: readonly FoundRow[] = await this.rows.findMany(places.slice(at, at + findTokens));
      for (const { row, group } of some) {
        for (const entry of row.entries) bytes += entry.bytes;
        if (found.length > 0 && bytes > bytesMax) return this.#whenAllDurable(groups, found);
        found.push(row.entries.map(({ encoded }) => encoded));
        groups.add(group);
      }
    }
    return this.#whenAllDurable(groups, found);
  }

  async #whenAllDurable<Result>(groups: ReadonlySet<number>, result: Result): Promise<Result> {
    for (const group of groups) {
      await new Promise<void>((resolve) => {
        this.rows.whenDurable(group, resolve);
      });
    }
    return result;
  }

  #admit(bytes: number): Admission {
    if (this.#upkeep?.isBehind === true) return this.#isSpaceLow ? "full" : "wait";
    this.#upkeep?.noteAppended();
    return this.log.admit(bytes);
  }

  #removeBroken(place: PlacedToken): void {
    const body = (): Uint8Array =>
      encodeRemovals([{ token: place.token, lsn: ownLsn, horizon: 0 }]);
    this.#updates.appendControl(entryKinds.gone, body, undefined, () => {
      const row = this.rows.broken(place.token);
      if (row !== undefined) this.rows.replace(place, row, emptyRow, undefined);
    });
  }

  get #isSpaceLow(): boolean {
    return this.#upkeep?.space.isLow ?? false;
  }

  #isUnknown({ partition, token }: DamagedToken): boolean {
    return this.lost.isUnknown(partition, token);
  }

  #refuse({ settle }: Update, code: "disk-full" | "overloaded" | "failed"): void {
    this.#clock.afterTurn(() => settle({ ok: false, code }));
  }

  #report(detail: string): void {
    this.#options.onEvent({ kind: "damage", segment: this.#engine.name, detail });
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

/** A token as the log's marks of damage name it; where it is, its own row says. */
function entryAt({ partition, token }: PlacedToken): DamagedEntry {
  return { partition, token, segment: 0, offset: 0 };
}
