import {
  DeadWrites,
  type CausalRecord,
  type Key,
  type Token,
  VersionVector,
  encodeRecord,
  equalBytes,
  hybridTimeZero,
  latin1,
  partitionOf,
  tokenOf,
  utf8,
} from "@coterie/core";
import type { EngineRow } from "@coterie/ports";
import { SimClock, SimDisk, SimEngine, World } from "@coterie/sim";
import {
  type Held,
  type IndexEntry,
  type OpenOutcome,
  type PlacedKey,
  type RecordStore,
  type RecoveryReport,
  type StoreEvent,
  type StoreOptions,
  type StoredRecord,
  type UpdateOutcome,
  openStore,
} from "../src/index.ts";
import { rowKey } from "../src/leveled/token-row.ts";

const partitions = 4;

/** Next to nothing is remembered: reads go to the disk. */
const cacheBytes = 1024;

/** A bucket whose name ends in digits has so many copies. */
export function classOf(bucket: string): number {
  return Number(/\d+$/u.exec(bucket)?.[0] ?? 3);
}

/** How a store keeps what it holds: in a log, or in a key-value engine behind one. */
export type StoreKind = "log" | "leveled";
export const storeKinds: readonly StoreKind[] = ["log", "leveled"];

export interface WorldOptions extends Partial<StoreOptions> {
  readonly kind?: StoreKind;
}

/** One directory, and the store that a process has opened in it. */
export class StoreWorld {
  readonly world: World;
  readonly events: StoreEvent[] = [];
  readonly kind: StoreKind;
  disk: SimDisk;
  engine: SimEngine;
  clock: SimClock;
  fatal: string | undefined;
  /** Called before each operation of the disk, by its number. */
  onOperation: ((operation: number) => void) | undefined;
  operations = 0;
  #store: RecordStore | undefined;
  #starts = 0;
  #options: Partial<StoreOptions>;

  constructor(
    seed: number,
    { kind = "log", ...options }: WorldOptions = {},
    capacityBytes?: number,
  ) {
    this.kind = kind;
    this.world = new World({
      seed,
      drain: () => new Promise((resolve) => setImmediate(resolve)),
    });
    this.disk = new SimDisk(this.world, capacityBytes === undefined ? {} : { capacityBytes });
    this.engine = new SimEngine(this.world);
    this.clock = new SimClock(this.world);
    this.#options = options;
  }

  get store(): RecordStore {
    if (this.#store === undefined) throw new Error("the store is not open");
    return this.#store;
  }

  /** Opens the store, as a new process would. */
  async open(): Promise<RecoveryReport> {
    const outcome = await this.tryOpen();
    if (!outcome.ok) throw new Error(`${outcome.code}: ${outcome.message}`);
    return outcome.report;
  }

  async tryOpen(): Promise<OpenOutcome> {
    this.#starts += 1;
    const random = this.world.random.fork(`process/${this.#starts}`);
    this.clock = new SimClock(this.world);
    const ports = { clock: this.clock, disk: this.#tapped(this.disk), random };
    const options = {
      partitions,
      hash: "md5",
      classOf,
      segmentBytes: 64 * 1024,
      queueBytesMax: 1024 * 1024,
      reserveBytes: 4096,
      durability: "fsync",
      cacheBytes,
      onFatal: (reason: string) => {
        this.fatal = reason;
      },
      onEvent: (event: StoreEvent) => this.events.push(event),
      ...this.#options,
    } as const;
    const opening = openStore(ports, options, this.kind === "log" ? undefined : this.engine);
    const outcome = await this.world.runUntilSettled(opening);
    this.#store = outcome.ok ? outcome.store : undefined;
    return outcome;
  }

  #tapped(disk: SimDisk): SimDisk {
    return new Proxy(disk, {
      get: (target, name): unknown => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...given: unknown[]): unknown => {
          this.operations += 1;
          this.onOperation?.(this.operations);
          return Reflect.apply(member, target, given);
        };
      },
    });
  }

  crash(kind: "power" | "kill" = "power"): void {
    this.#end(kind);
    this.disk = this.disk.reopen();
  }

  #end(kind: "power" | "kill"): void {
    this.disk.crash(kind);
    this.engine.crash(kind);
    this.engine = this.engine.reopen();
    this.clock.crash();
    this.#store = undefined;
  }

  async stop(): Promise<void> {
    await this.world.runUntilSettled(this.store.stop());
    this.crash("kill");
  }

  async read(name: string): Promise<Held> {
    const outcome = await this.world.runUntilSettled(
      new Promise<Parameters<Parameters<RecordStore["read"]>[1]>[0]>((resolve) => {
        this.store.read(placed(name), resolve);
      }),
    );
    if (!outcome.ok) throw new Error(outcome.code);
    return outcome.held;
  }

  /** The index entries of a partition. */
  list(partition: number, after?: Token, limit: number = 99): Promise<readonly IndexEntry[]> {
    return this.world.runUntilSettled(this.store.list(partition, after, limit));
  }

  /** Stops, and opens again. */
  async restart(): Promise<RecoveryReport> {
    await this.stop();
    return this.open();
  }

  /** Crashes, has the files changed, and leaves the directory for the next start. */
  crashAndEdit(edit: (files: Map<string, Uint8Array>) => void, how: "power" | "kill"): void {
    this.#end(how);
    const files = new Map(this.disk.image());
    edit(files);
    this.disk.restore(files);
    this.disk = this.disk.reopen();
  }

  /** Names of the files, sorted. */
  files(): readonly string[] {
    return [...this.disk.image().keys()];
  }

  /** Where the newest copy of the key's name is stored. */
  placeOf(name: string): { readonly file: string; readonly offset: number } {
    let found: { file: string; offset: number } | undefined;
    for (const [file, bytes] of this.disk.image()) {
      const offset = latin1(bytes).lastIndexOf(name);
      if (file.startsWith("log-") && offset >= 0) found = { file, offset };
    }
    if (found === undefined) throw new Error(`${name} is in no segment`);
    return found;
  }

  /** Flips a bit in the value of the key's newest record. */
  rot(name: string): void {
    if (this.kind === "leveled") return this.editRow("records", name, withBitFlipped);
    const { file, offset } = this.placeOf(name);
    this.disk.flipBit(file, offset + name.length + 40);
  }

  /** Changes the engine's row of a key's token, behind the store's back. */
  editRow(
    kind: "counted" | "records",
    name: string,
    change: (row: EngineRow) => EngineRow | undefined,
  ): void {
    const wanted = rowKey(kind, placed(name).token);
    let isFound = false;
    this.engine.edit((row) => {
      if (!equalBytes(row.key, wanted)) return row;
      isFound = true;
      return change(row);
    });
    if (!isFound) throw new Error(`${name} has no such row`);
  }

  /** Appends a new version; the promise resolves when the store says so, or never after a crash. */
  update(
    name: string,
    counter: number,
    bytes: number = 100,
    mayUseReserve: boolean = false,
  ): Promise<UpdateOutcome> {
    return new Promise((resolve) => {
      this.store.update(placed(name), {
        bytes,
        mayUseReserve,
        apply: () => version(name, counter, bytes),
        settle: resolve,
      });
    });
  }

  async updated(name: string, counter: number, bytes: number = 100): Promise<UpdateOutcome> {
    return this.world.runUntilSettled(this.update(name, counter, bytes));
  }

  /** Removes a key's record for good; settles as {@link update} does. */
  remove(name: string): Promise<UpdateOutcome> {
    return new Promise((resolve) => {
      const apply = (): "gone" => "gone";
      this.store.update(placed(name), { bytes: 0, mayUseReserve: true, apply, settle: resolve });
    });
  }

  async removed(name: string): Promise<UpdateOutcome> {
    return this.world.runUntilSettled(this.remove(name));
  }

  /** Stops or crashes, loses the checkpoint, and opens again. */
  async openWithoutCheckpoint(how: "power" | "kill" | "stop"): Promise<RecoveryReport> {
    if (how === "stop") await this.stop();
    this.crashAndEdit(
      (files) => {
        for (const name of files.keys()) if (name.startsWith("checkpoint-")) files.delete(name);
      },
      how === "stop" ? "kill" : how,
    );
    return this.open();
  }

  /** Lets background work of some virtual milliseconds happen. */
  async pass(ms: number): Promise<void> {
    await this.world.run({ until: this.world.nowMs + ms });
  }
}

/** A row with a bit of its value flipped. */
export function withBitFlipped({ key, value }: EngineRow): EngineRow {
  const rotten = value.slice();
  const at = Math.floor(value.length / 2);
  rotten[at] = (rotten[at] as number) ^ 4;
  return { key, value: rotten };
}

export function placed(name: string, bucket: string = "default"): PlacedKey {
  const key: Key = { bucket, key: utf8(name) };
  const token = tokenOf(key, { hash: "md5", partitions });
  return { ...key, token, partition: partitionOf(token, partitions) };
}

const actor = "00000000000000aa";

/** A record whose one dot says which version it is. */
export function version(name: string, counter: number, bytes: number = 100): StoredRecord {
  const dot = { actor: actor as never, counter };
  const record: CausalRecord = {
    clock: VersionVector.of([dot]),
    siblings: [
      {
        dots: [dot],
        value: utf8(`${counter}`.padEnd(bytes, ".")),
        contentType: "",
        writtenAt: hybridTimeZero,
        writeId: undefined,
        expiresAtMs: undefined,
      },
    ],
    deadWrites: DeadWrites.none,
  };
  return { record, bytes: encodeRecord({ bucket: "default", key: utf8(name) }, record) };
}

/** The version held; 0 for none, −1 for unknown. */
export function versionOf(held: Held): number {
  if (held.state === "absent") return 0;
  if (held.state === "unknown") return -1;
  const [sibling] = held.stored.record.siblings;
  return Number.parseInt(latin1(sibling?.value ?? utf8("0")), 10);
}
