import { type PartitionId, type Token, compareTokens } from "@coterie/core";
import type { EngineOutcome, EngineRow, KeyValueEngine } from "@coterie/ports";
import type { Group } from "../log/group.ts";
import type { PlacedToken } from "../store.ts";
import { engineCall } from "./engine-promises.ts";
import { MemTable, tokenName } from "./mem-table.ts";
import type { RowCache } from "./row-cache.ts";
import type { Summaries } from "./summaries.ts";
import {
  type Counted,
  type TokenRow,
  type TokenStretch,
  damagedRow,
  decodeCounted,
  decodeRecords,
  emptyRow,
  rangeOf,
  rowKey,
  tokenIn,
} from "./token-row.ts";

export interface RowsParts {
  readonly engine: KeyValueEngine;
  readonly partitions: number;
  readonly cache: RowCache;
  readonly summaries: Summaries;
  /** A row cannot be read, or not all of it. */
  readonly onDamage: (place: PlacedToken, detail: string) => void;
  /** Keys that nobody can name may be missing from a partition. */
  readonly onLost: (partition: PartitionId, detail: string) => void;
}

/** A row, and the number of the group it becomes durable with; 0: it is durable. */
export interface FoundRow {
  readonly row: TokenRow;
  readonly group: number;
}

/** What an index would know of a token. */
export interface CountedRow {
  readonly token: Token;
  readonly counted: readonly Counted[];
}

/** Rows of the engine read at once by a walk. */
const walkRows = 1024;
/** Whole rows read at once, to mend others. */
const mendRows = 256;

/**
 * What is held at each token: as the log says, where it was changed since the last spill, and as
 * the engine says elsewhere. Every change goes through here, so that sums are always right.
 */
export class Rows {
  readonly #parts: RowsParts;
  /** What changes go to. */
  active: MemTable = new MemTable();
  /** What is being spilled. */
  frozen: MemTable | undefined;
  /** Tokens whose rows in the engine are damaged and not replaced, with what counts of them. */
  readonly #broken = new Map<string, PlacedToken & { readonly counted: readonly Counted[] }>();
  /** Groups that are not durable, with their numbers, in order: rarely above two. */
  readonly #unsynced: { readonly group: Group; readonly number: number }[] = [];
  #lastGroup = 0;
  /** Grows whenever the engine's rows begin to hold where memory held, or end to hold. */
  #epoch = 0;
  readsFromEngine = 0;
  readsFromMemory = 0;
  readsPending = 0;

  constructor(parts: RowsParts) {
    this.#parts = parts;
  }

  /** Puts a row in the place of one that {@link find} has just found; `group`: of its log entry. */
  replace(place: PlacedToken, before: TokenRow, after: TokenRow, group: Group | undefined): void {
    const { cache, summaries } = this.#parts;
    const { partition, token } = place;
    this.active.set({ partition, token, row: after, group: this.#numberOf(group) });
    summaries.replace(partition, before.counted, after.counted);
    cache.delete(token);
    this.#broken.delete(tokenName(token));
  }

  /** Forgets every row of a partition. */
  discard(partition: PartitionId): void {
    this.active.discard(partition);
    this.#parts.summaries.reset(partition);
    this.#parts.cache.clear();
    for (const [name, broken] of this.#broken) {
      if (broken.partition === partition) this.#broken.delete(name);
    }
    this.#epoch += 1;
  }

  /** From now on changes go to another table; returns the one that is to be spilled. */
  freeze(): MemTable {
    const frozen = this.active;
    this.frozen = frozen;
    this.active = new MemTable();
    return frozen;
  }

  /** What was frozen is in the engine. */
  spilled(): void {
    const { cache } = this.#parts;
    for (const { partition, token, row } of this.frozen?.rows() ?? []) {
      const isCurrent = this.active.get(partition, token) === undefined;
      if (isCurrent && row.entries.length > 0) cache.set(token, row);
    }
    this.frozen = undefined;
    this.#epoch += 1;
  }

  /** The damaged row of a token that nothing has replaced yet. */
  broken(token: Token): TokenRow | undefined {
    const broken = this.#broken.get(tokenName(token));
    return broken === undefined ? undefined : damagedRow(broken.counted);
  }

  /** What the engine has of a token is damaged, though some reads may find it sound. */
  markBroken(place: PlacedToken, counted: readonly Counted[]): void {
    if (this.changedAt(place) !== undefined) return;
    this.#broken.set(tokenName(place.token), { ...place, counted });
    this.#parts.cache.delete(place.token);
  }

  /** The row of a token: at once, within the call, unless the engine has to be read. */
  find(place: PlacedToken, settle: (found: FoundRow) => void): void {
    const inMemory = this.inMemory(place);
    if (inMemory !== undefined) {
      this.readsFromMemory += 1;
      return settle(inMemory);
    }
    const epoch = this.#epoch;
    this.readsFromEngine += 1;
    this.readsPending += 1;
    this.#parts.engine.get(rowKey("records", place.token), (read) => {
      this.readsPending -= 1;
      if (this.#isOutdated(place, epoch)) return this.find(place, settle);
      const row = read.ok && read.value !== undefined ? this.#decode(place, read.value) : undefined;
      if (row !== undefined) return settle({ row, group: 0 });
      void this.#findWithout(place, read, settle);
    });
  }

  /** Rows of many tokens, in their order. */
  async findMany(places: readonly PlacedToken[]): Promise<readonly FoundRow[]> {
    const epoch = this.#epoch;
    const missing = places.filter((place) => this.inMemory(place) === undefined);
    const read = missing.length === 0 ? new Map<string, TokenRow>() : await this.#readMany(missing);
    const found: FoundRow[] = [];
    for (const place of places) {
      const inMemory = this.inMemory(place);
      const row = epoch === this.#epoch ? read.get(tokenName(place.token)) : undefined;
      if (inMemory === undefined && row !== undefined) found.push({ row, group: 0 });
      else found.push(inMemory ?? (await this.#findOne(place)));
    }
    return found;
  }

  /** The rows that can be read, and those that are surely not there. */
  async #readMany(places: readonly PlacedToken[]): Promise<ReadonlyMap<string, TokenRow>> {
    const rows = new Map<string, TokenRow>();
    const epoch = this.#epoch;
    this.readsFromEngine += places.length;
    const read = await this.#getMany(places.map(({ token }) => rowKey("records", token)));
    const absent: PlacedToken[] = [];
    for (const [at, place] of places.entries()) {
      const value = read.ok ? read.value[at] : undefined;
      if (read.ok && value === undefined) absent.push(place);
      if (value === undefined || this.#isOutdated(place, epoch)) continue;
      const row = this.#decode(place, value);
      if (row !== undefined) rows.set(tokenName(place.token), row);
    }
    if (absent.length === 0) return rows;
    const counted = await this.#getMany(absent.map(({ token }) => rowKey("counted", token)));
    for (const [at, { token }] of absent.entries()) {
      if (counted.ok && counted.value[at] === undefined) rows.set(tokenName(token), emptyRow);
    }
    return rows;
  }

  /** What an index would know of many tokens, in their order. */
  async countedAt(places: readonly PlacedToken[]): Promise<readonly (readonly Counted[])[]> {
    const epoch = this.#epoch;
    const missing = places.filter((place) => this.inMemory(place) === undefined);
    const keys = missing.map(({ token }) => rowKey("counted", token));
    const known = new Map<string, readonly Counted[]>();
    if (keys.length > 0) {
      const read = await this.#getMany(keys);
      for (const [at, { token }] of missing.entries()) {
        const value = read.ok ? read.value[at] : undefined;
        const key = keys[at] as Uint8Array;
        const counted = value === undefined ? undefined : decodeCounted(key, value);
        if (counted !== undefined) known.set(tokenName(token), counted);
      }
    }
    const all: (readonly Counted[])[] = [];
    for (const place of places) {
      const inMemory = this.inMemory(place);
      const counted = epoch === this.#epoch ? known.get(tokenName(place.token)) : undefined;
      if (inMemory !== undefined) all.push(inMemory.row.counted);
      // Nothing may be there; or there is a record, of which the smaller row is damaged.
      else all.push(counted ?? (await this.#findOne(place)).row.counted);
    }
    return all;
  }

  /**
   * Visits what an index would know of the tokens of a stretch, in their order, until the visitor
   * says `false`. Each page is as of when it was begun. True if it came to the end.
   */
  async walk(
    stretch: TokenStretch,
    visit: (row: CountedRow) => boolean,
    pageRows: number = walkRows,
  ): Promise<boolean> {
    let { after } = stretch;
    for (;;) {
      const page = await this.#page({ ...stretch, after }, Math.min(pageRows, walkRows));
      for (const row of page.rows) if (!visit(row)) return false;
      if (page.until === undefined) return true;
      after = page.until;
    }
  }

  /** Counts the entries of a partition anew; in vain, if some change meanwhile. */
  async recount(partition: PartitionId): Promise<void> {
    const { summaries } = this.#parts;
    await this.#mend(partition);
    const version = summaries.versionOf(partition);
    const all: Counted[] = [];
    await this.walk({ partition, after: undefined, until: undefined }, ({ counted }) => {
      all.push(...counted);
      return true;
    });
    if (summaries.versionOf(partition) === version) summaries.reset(partition, all);
  }

  /** Rows as the engine has them now; `undefined` where something newer is in memory. */
  async findStored(places: readonly PlacedToken[]): Promise<readonly (FoundRow | undefined)[]> {
    const epoch = this.#epoch;
    const keys = places.map(({ token }) => rowKey("records", token));
    const read = await this.#getMany(keys);
    return places.map((place, at) => {
      const changed = this.changedAt(place) !== undefined || this.#epoch !== epoch;
      if (changed || this.broken(place.token) !== undefined) return undefined;
      const value = read.ok ? read.value[at] : undefined;
      const row = value === undefined ? undefined : decodeRecords(keys[at] as Uint8Array, value);
      return { row: row ?? damagedRow([]), group: 0 };
    });
  }

  /** Where a record's smaller row is missing or damaged, both are written anew. */
  async #mend(partition: PartitionId): Promise<void> {
    const { engine, partitions } = this.#parts;
    let after: Token | undefined;
    for (;;) {
      const stretch = { partition, after, until: undefined };
      const range = rangeOf("records", stretch, partitions);
      const scanned = await engineCall<readonly EngineRow[]>((settle) =>
        engine.scan(range, mendRows, settle),
      );
      if (!scanned.ok || scanned.value.length === 0) return;
      const tokens = scanned.value.map(({ key }) => tokenIn(key));
      const counted = await this.#getMany(tokens.map((token) => rowKey("counted", token)));
      for (const [at, token] of tokens.entries()) {
        const value = counted.ok ? counted.value[at] : undefined;
        const key = rowKey("counted", token);
        if (value !== undefined && decodeCounted(key, value) !== undefined) continue;
        const { row } = await this.#findOne({ partition, token });
        this.#rewrite({ partition, token }, row);
      }
      after = tokens.at(-1);
    }
  }

  /** Has a row written anew that is in no table, and is sound. */
  #rewrite(place: PlacedToken, row: TokenRow): void {
    if (row.isDamaged || this.changedAt(place) !== undefined) return;
    this.active.set({ ...place, row, group: 0 });
  }

  #getMany(
    keys: readonly Uint8Array[],
  ): Promise<EngineOutcome<readonly (Uint8Array | undefined)[]>> {
    return engineCall((settle) => this.#parts.engine.getMany(keys, settle));
  }

  /** Calls back when the group is durable. */
  whenDurable(group: number, settle: () => void): void {
    const unsynced = this.groupNumbered(group);
    if (unsynced === undefined) settle();
    else unsynced.waiters.push({ becameDurable: settle });
  }

  groupNumbered(number: number): Group | undefined {
    return this.#unsynced.find((each) => each.number === number)?.group;
  }

  noteDurable(group: Group): void {
    const at = this.#unsynced.findIndex((each) => each.group === group);
    if (at >= 0) this.#unsynced.splice(at, 1);
  }

  #numberOf(group: Group | undefined): number {
    if (group === undefined) return 0;
    const last = this.#unsynced.at(-1);
    if (last?.group === group) return last.number;
    this.#lastGroup += 1;
    this.#unsynced.push({ group, number: this.#lastGroup });
    return this.#lastGroup;
  }

  /** The row of a token, if no disk has to be read for it. */
  inMemory(place: PlacedToken): FoundRow | undefined {
    const changed = this.changedAt(place);
    if (changed !== undefined) return changed;
    const row = this.broken(place.token) ?? this.#parts.cache.get(place.token);
    return row === undefined ? undefined : { row, group: 0 };
  }

  /** The row of a token of which the engine's no longer holds. */
  changedAt({ partition, token }: PlacedToken): FoundRow | undefined {
    for (const table of [this.active, this.frozen]) {
      const found = table?.get(partition, token);
      if (found !== undefined) return found;
      if (table?.discarded.has(partition) === true) return { row: emptyRow, group: 0 };
    }
    return undefined;
  }

  /** Since then it may have been replaced, and what replaced it be no longer in memory. */
  #isOutdated(place: PlacedToken, epoch: number): boolean {
    return epoch !== this.#epoch || this.inMemory(place) !== undefined;
  }

  #decode({ token }: PlacedToken, value: Uint8Array): TokenRow | undefined {
    const row = decodeRecords(rowKey("records", token), value);
    if (row !== undefined) this.#parts.cache.set(token, row);
    return row;
  }

  /** What the record itself says, where the smaller row is damaged: that is written anew. */
  async #countedOf(place: PlacedToken): Promise<readonly Counted[]> {
    const { row } = await this.#findOne(place);
    this.#rewrite(place, row);
    return row.counted;
  }

  #findOne(place: PlacedToken): Promise<FoundRow> {
    return new Promise((resolve) => {
      this.find(place, resolve);
    });
  }

  /** Nothing was read, or nothing sound: the smaller row says whether something was there. */
  async #findWithout(
    place: PlacedToken,
    read: EngineOutcome<Uint8Array | undefined>,
    settle: (found: FoundRow) => void,
  ): Promise<void> {
    const epoch = this.#epoch;
    const key = rowKey("counted", place.token);
    const index = await engineCall<Uint8Array | undefined>((done) =>
      this.#parts.engine.get(key, done),
    );
    if (this.#isOutdated(place, epoch)) return this.find(place, settle);
    const value = index.ok ? index.value : undefined;
    const counted = value === undefined ? undefined : decodeCounted(key, value);
    const isAbsent = read.ok && read.value === undefined && index.ok && value === undefined;
    if (isAbsent) return settle({ row: emptyRow, group: 0 });
    const row = damagedRow(counted ?? []);
    this.markBroken(place, row.counted);
    this.#parts.onDamage(place, read.ok ? "a bad checksum" : read.message);
    settle({ row, group: 0 });
  }

  /** Some rows of a stretch, and up to where: `undefined`, to its end. */
  async #page(
    stretch: TokenStretch,
    limit: number,
  ): Promise<{ readonly rows: readonly CountedRow[]; readonly until: Token | undefined }> {
    const { partition } = stretch;
    const { engine, partitions, onLost } = this.#parts;
    // What is in memory is looked at in the turn in which the engine is asked.
    const { changed, isHidden } = this.#changedIn(stretch);
    if (isHidden) return { rows: sorted(changed), until: undefined };
    const range = rangeOf("counted", stretch, partitions);
    const scanned = await engineCall<readonly EngineRow[]>((settle) =>
      engine.scan(range, limit, settle),
    );
    if (!scanned.ok) {
      onLost(partition, scanned.message);
      return { rows: sorted(changed), until: undefined };
    }
    const last = scanned.value.at(-1);
    const until =
      scanned.value.length < limit || last === undefined ? undefined : tokenIn(last.key);
    for (const { key, value } of scanned.value) {
      const token = tokenIn(key);
      const name = tokenName(token);
      if (changed.has(name)) continue;
      const counted = decodeCounted(key, value) ?? (await this.#countedOf({ partition, token }));
      changed.set(name, { token, counted });
    }
    const rows = sorted(changed);
    if (until === undefined) return { rows, until };
    return { rows: rows.filter(({ token }) => compareTokens(token, until) <= 0), until };
  }

  /** The stretch's rows that are in memory; `isHidden`: the engine's do not hold. */
  #changedIn(stretch: TokenStretch): {
    readonly changed: Map<string, CountedRow>;
    readonly isHidden: boolean;
  } {
    const changed = new Map<string, CountedRow>();
    for (const table of [this.active, this.frozen]) {
      if (table === undefined) continue;
      for (const { token, row } of table.within(stretch)) {
        const name = tokenName(token);
        if (!changed.has(name)) changed.set(name, { token, counted: row.counted });
      }
      if (table.discarded.has(stretch.partition)) return { changed, isHidden: true };
    }
    return { changed, isHidden: false };
  }
}

/** In the order of tokens, without those of which nothing is left. */
function sorted(rows: ReadonlyMap<string, CountedRow>): readonly CountedRow[] {
  return [...rows.values()]
    .filter(({ counted }) => counted.length > 0)
    .toSorted((left, right) => compareTokens(left.token, right.token));
}
