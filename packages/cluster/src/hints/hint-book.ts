import {
  type CausalRecord,
  type ClusterSettings,
  type NodeId,
  type PartitionId,
  encodeRecord,
  mergeRecords,
} from "@coterie/core";
import type { Clock, Disk, Random } from "@coterie/ports";
import {
  type Held,
  type OpenOutcome,
  type PlacedKey,
  type RecordStore,
  type StoreOptions,
  type StoredRecord,
  openStore,
} from "@coterie/storage";
import { Generation, type GenerationParts } from "./generation.ts";
import type { GuestUpdate, HoldOutcome } from "./guest-update.ts";
import {
  findGenerations,
  generationDisk,
  markGeneration,
  removeGeneration,
  unmarkGeneration,
} from "./hint-files.ts";

/** Bytes of one segment of a generation's log, at most: every target takes one or two of them. */
const segmentBytesMax = 4 * 1024 * 1024;
/** Memory for recent records of one generation, at most. */
const cacheBytesMax = 1024 * 1024;

/** What is held for one target. */
export interface HintsHeld {
  readonly target: NodeId;
  readonly records: number;
  readonly bytes: number;
}

export interface HintStatistics {
  /** In the order of the targets. */
  readonly held: readonly HintsHeld[];
  /** Of all records held. */
  readonly bytes: number;
  /** Hints not taken because the budget was spent, since the start. */
  readonly refused: number;
}

/** A generation was given up with damage in it: what was lost of it, no delivery brings back. */
export interface HintsLost {
  readonly target: NodeId;
  /** Records known to be lost. */
  readonly records: number;
  /** False: there were others, nobody knows how many. */
  readonly isAll: boolean;
}

export interface HintBookParts {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly random: Random;
  readonly settings: Pick<ClusterSettings, "partitions" | "hash">;
  readonly store: Omit<StoreOptions, "partitions" | "hash" | "classOf">;
  /** Bytes of records that may be held for others, all together. */
  readonly bytesMax: number;
  /** Releases the reserve of the node's own store; false if it was spent already. */
  readonly borrowReserve: () => Promise<boolean>;
  readonly onLost: (lost: HintsLost) => void;
}

export type OpenBookOutcome =
  | { readonly ok: true; readonly book: HintBook }
  | {
      readonly ok: false;
      readonly code: "disk-full" | "io" | "wrong-directory";
      readonly message: string;
    };

type Opened = Generation | "disk-full" | "internal" | "shutting-down";

/**
 * The records that this node holds durably for primaries that are out of reach: per target a list
 * of {@link Generation}s. New hints go to the newest one; a generation whose delivery begins is
 * sealed, delivered whole, and then dropped whole. See docs/internals/handoff.md.
 *
 * For a coordinator: {@link hold} keeps a copy for a target, {@link write} coordinates in its
 * place under the guest actor, {@link read} gives what is held of a key. All of them may be called
 * for keys of which this node is no primary, and for targets that are; `Replica` checks that for
 * others.
 */
export class HintBook {
  readonly #parts: HintBookParts;
  /** Oldest first. */
  #generations: Generation[] = [];
  /** Where new hints go, by target. */
  readonly #newest = new Map<NodeId, Generation>();
  /** Who waits for a target's next generation. */
  readonly #opening = new Map<NodeId, ((opened: Opened) => void)[]>();
  #lastNumber = 0;
  #bytes = 0;
  /** Announced by hints that have not settled. */
  #bytesPending = 0;
  #refused = 0;
  #isStopped = false;
  #onOwed: (target: NodeId) => void = () => undefined;

  private constructor(parts: HintBookParts) {
    this.#parts = parts;
  }

  /** Opens what the directory holds; called once the node's own store has been opened. */
  static async open(parts: HintBookParts): Promise<OpenBookOutcome> {
    const book = new HintBook(parts);
    const found = await findGenerations(parts.disk);
    if (!found.ok) return { ok: false, code: "io", message: found.message };
    for (const { number, target } of found.value) {
      book.#lastNumber = number;
      const view = generationDisk(parts.disk, number);
      const removed = target === undefined ? await removeGeneration(view) : undefined;
      if (removed?.ok === false) return { ok: false, code: "io", message: removed.message };
      if (target === undefined) continue;
      const opened = await book.#openStore(view);
      if (!opened.ok) {
        const isOurs = opened.code === "disk-full" || opened.code === "io";
        const message = `the hints for ${target}: ${opened.message}`;
        return { ok: false, code: isOurs ? opened.code : "wrong-directory", message };
      }
      await book.#adopt(number, target, opened.store);
    }
    return { ok: true, book };
  }

  /**
   * Merges `stored` into what is held for `target`; settles when it is durable. It is not dropped
   * before the target has acknowledged it.
   */
  hold(
    target: NodeId,
    placed: PlacedKey,
    stored: StoredRecord,
    settle: (outcome: HoldOutcome) => void,
  ): void {
    this.#admit(target, stored.bytes.length, settle, (generation, settled) => {
      generation.merge(placed, stored, settled);
    });
  }

  /** Coordinates a write under the guest actor of the target's newest generation. */
  write(target: NodeId, placed: PlacedKey, update: GuestUpdate): void {
    this.#admit(target, update.bytes, update.settle, (generation, settled) => {
      generation.begin();
      const others = this.#generations.filter((each) => each !== generation);
      readAll(others, placed, ({ stored }) => {
        generation.write(placed, stored, { ...update, settle: settled });
        generation.end();
      });
    });
  }

  /** All that is held of a key, for whichever target; `unknown` where damage took something. */
  read(placed: PlacedKey, settle: (held: Held) => void): void {
    readAll(this.#generations, placed, ({ stored, isUnknown }) => {
      if (isUnknown) settle({ state: "unknown" });
      else settle(stored === undefined ? { state: "absent" } : { state: "present", stored });
    });
  }

  /** Calls back for every target to whom something is owed, now and whenever that begins. */
  whenOwed(onOwed: (target: NodeId) => void): void {
    this.#onOwed = onOwed;
    for (const target of this.targets()) onOwed(target);
  }

  /** False if nothing of the partition is held for anybody, nor is about to be. */
  mayHold(partition: PartitionId): boolean {
    if (this.#bytesPending > 0) return true;
    return this.#generations.some(({ store }) => store.root(partition, 0).count > 0);
  }

  /** True if nothing is held for anybody, nor is about to be. */
  get isEmpty(): boolean {
    return this.#generations.length === 0 && this.#bytesPending === 0;
  }

  get partitions(): number {
    return this.#parts.settings.partitions;
  }

  /** Partitions of which damage took something that the generation held. */
  dirtyPartitions(generation: Generation): number {
    const { tokens, isWhole } = generation.store.damage();
    return isWhole ? new Set(tokens.map(({ partition }) => partition)).size : this.partitions;
  }

  /** To whom something is owed, in the order of their names. */
  targets(): readonly NodeId[] {
    return [...new Set(this.#generations.map(({ target }) => target))].toSorted();
  }

  /** What is held for a target, oldest first. */
  generationsFor(target: NodeId): readonly Generation[] {
    return this.#generations.filter((generation) => generation.target === target);
  }

  /** From now on new hints for its target go elsewhere. Resolves when what is under way is held. */
  async seal(generation: Generation): Promise<void> {
    generation.isSealed = true;
    if (this.#newest.get(generation.target) === generation) {
      this.#newest.delete(generation.target);
    }
    await generation.idle();
  }

  /** Gives up a sealed generation, of which the target has acknowledged every record. */
  async drop(generation: Generation): Promise<void> {
    const { disk, target, store } = generation;
    const { tokens, isWhole } = store.damage();
    if (generation.isDamaged) {
      this.#parts.onLost({ target, records: tokens.length, isAll: isWhole });
    }
    // First of all it stops being one: its actor must not come back when some records are gone.
    const unmarked = await unmarkGeneration(disk, target);
    if (!unmarked.ok) return this.#fail(`hints could not be dropped: ${unmarked.message}`);
    this.#generations = this.#generations.filter((each) => each !== generation);
    this.#bytes -= generation.bytes;
    await generation.idle();
    await store.stop();
    // What stays behind for now is removed at the next start.
    await removeGeneration(disk);
  }

  statistics(): HintStatistics {
    const held = this.targets().map((target) => {
      const sum = { target, records: 0, bytes: 0 };
      for (const { records, bytes } of this.generationsFor(target)) {
        sum.records += records;
        sum.bytes += bytes;
      }
      return sum;
    });
    return { held, bytes: this.#bytes, refused: this.#refused };
  }

  /** Refuses what is new, finishes what is under way, and closes every generation cleanly. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const target of this.#opening.keys()) await this.#opened(target);
    for (const generation of this.#generations) {
      await generation.idle();
      await generation.store.stop();
    }
  }

  #admit(
    target: NodeId,
    bytes: number,
    settle: (outcome: HoldOutcome) => void,
    use: (generation: Generation, settled: (outcome: HoldOutcome) => void) => void,
  ): void {
    if (this.#isStopped) return settle({ ok: false, code: "shutting-down" });
    if (this.#bytes + this.#bytesPending + bytes > this.#parts.bytesMax) {
      this.#refused += 1;
      return settle({ ok: false, code: "hints-full" });
    }
    this.#bytesPending += bytes;
    const settled = (outcome: HoldOutcome): void => {
      this.#bytesPending -= bytes;
      settle(outcome);
    };
    const newest = this.#newest.get(target);
    if (newest !== undefined) return use(newest, settled);
    this.#withNew(target, (opened) => {
      if (typeof opened === "string") settled({ ok: false, code: opened });
      else use(opened, settled);
    });
  }

  #withNew(target: NodeId, use: (opened: Opened) => void): void {
    const waiting = this.#opening.get(target);
    if (waiting !== undefined) {
      waiting.push(use);
      return;
    }
    const users = [use];
    this.#opening.set(target, users);
    void this.#create(target).then((opened) => {
      this.#opening.delete(target);
      for (const each of users) each(opened);
    });
  }

  #opened(target: NodeId): Promise<void> {
    return new Promise((resolve) => {
      this.#withNew(target, () => resolve());
    });
  }

  /** Makes a generation: it is there for good, or not at all, before its first hint counts. */
  async #create(target: NodeId): Promise<Opened> {
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    const view = generationDisk(this.#parts.disk, number);
    const opened = await this.#openStore(view);
    if (!opened.ok) {
      if (opened.code !== "disk-full") this.#fail(`hints cannot be held: ${opened.message}`);
      await removeGeneration(view);
      return opened.code === "disk-full" ? "disk-full" : "internal";
    }
    const marked = await markGeneration(view, target);
    if (!marked.ok || this.#isStopped) {
      await opened.store.stop();
      if (marked.ok) return "shutting-down";
      if (marked.error !== "full") this.#fail(`hints cannot be held: ${marked.message}`);
      await removeGeneration(view);
      return marked.error === "full" ? "disk-full" : "internal";
    }
    const generation = this.#add({ number, target, store: opened.store, isReopened: false });
    this.#newest.set(target, generation);
    this.#onOwed(target);
    return generation;
  }

  /** On a full disk it takes the reserve, as deletes do. */
  async #openStore(view: Disk): Promise<OpenOutcome> {
    const ports = { ...this.#parts, disk: view };
    const opened = await openStore(ports, this.#options());
    if (opened.ok || opened.code !== "disk-full") return opened;
    const hasRoom = await this.#parts.borrowReserve();
    return hasRoom ? openStore(ports, this.#options()) : opened;
  }

  /** Takes over what an earlier process has left. */
  async #adopt(number: number, target: NodeId, store: RecordStore): Promise<void> {
    const generation = this.#add({ number, target, store, isReopened: true });
    const older = this.#newest.get(target);
    if (older !== undefined) await this.seal(older);
    if (generation.isDamaged) generation.isSealed = true;
    else if (generation.records > 0) this.#newest.set(target, generation);
    else await this.drop(generation);
  }

  #add(made: Omit<GenerationParts, "disk" | "onBytes">): Generation {
    const disk = generationDisk(this.#parts.disk, made.number);
    const onBytes = (change: number): void => {
      this.#bytes += change;
    };
    const generation = new Generation({ ...made, disk, onBytes });
    this.#generations = [...this.#generations, generation];
    return generation;
  }

  #options(): StoreOptions {
    const { store, settings, borrowReserve } = this.#parts;
    return {
      ...store,
      ...settings,
      segmentBytes: Math.min(store.segmentBytes, segmentBytesMax),
      cacheBytes: Math.min(store.cacheBytes, cacheBytesMax),
      // Nobody compares what is held for others.
      classOf: () => 0,
      // The node has one reserve, which its own store keeps.
      reserveBytes: 0,
      borrowReserve,
      onEvent: () => undefined,
    };
  }

  #fail(reason: string): void {
    this.#parts.store.onFatal(reason);
  }
}

interface ReadAll {
  readonly stored: StoredRecord | undefined;
  /** Some generation could not say what it holds. */
  readonly isUnknown: boolean;
}

/** Reads a key in every generation, and merges what is there. */
function readAll(
  generations: readonly Generation[],
  placed: PlacedKey,
  settle: (all: ReadAll) => void,
): void {
  let pending = generations.length;
  let stored: StoredRecord | undefined;
  let record: CausalRecord | undefined;
  let isUnknown = false;
  if (pending === 0) return settle({ stored, isUnknown });
  const add = (held: Held): void => {
    if (held.state === "unknown") isUnknown = true;
    else if (held.state === "present") {
      record = record === undefined ? held.stored.record : mergeRecords(record, held.stored.record);
      if (record === held.stored.record) stored = held.stored;
      else if (record !== stored?.record) stored = { record, bytes: encodeRecord(placed, record) };
    }
    pending -= 1;
    if (pending === 0) settle({ stored, isUnknown });
  };
  for (const generation of generations) generation.read(placed, add);
}
