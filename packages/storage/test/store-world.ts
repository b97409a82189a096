import {
  type CausalRecord,
  type Key,
  VersionVector,
  encodeRecord,
  hybridTimeZero,
  latin1,
  partitionOf,
  tokenOf,
  utf8,
} from "@coterie/core";
import { SimClock, SimDisk, World } from "@coterie/sim";
import {
  type Held,
  type PlacedKey,
  type RecordCache,
  type RecordStore,
  type RecoveryReport,
  type StoreEvent,
  type StoreOptions,
  type StoredRecord,
  type UpdateOutcome,
  openStore,
} from "../src/index.ts";

export const partitions = 4;

/** A cache that remembers next to nothing: reads go to the disk. */
class TinyCache implements RecordCache {
  readonly #records = new Map<number, StoredRecord>();

  get(place: number): StoredRecord | undefined {
    return this.#records.get(place);
  }

  set(place: number, stored: StoredRecord): void {
    if (this.#records.size >= 4) this.#records.clear();
    this.#records.set(place, stored);
  }
}

/** One directory, and the store that a process has opened in it. */
export class StoreWorld {
  readonly world: World;
  readonly events: StoreEvent[] = [];
  disk: SimDisk;
  clock: SimClock;
  fatal: string | undefined;
  #store: RecordStore | undefined;
  #starts = 0;
  #options: Partial<StoreOptions>;

  constructor(seed: number, options: Partial<StoreOptions> = {}, capacityBytes?: number) {
    this.world = new World({
      seed,
      drain: () => new Promise((resolve) => setImmediate(resolve)),
    });
    this.disk = new SimDisk(this.world, capacityBytes === undefined ? {} : { capacityBytes });
    this.clock = new SimClock(this.world);
    this.#options = options;
  }

  get store(): RecordStore {
    if (this.#store === undefined) throw new Error("the store is not open");
    return this.#store;
  }

  /** Opens the store, as a new process would. */
  async open(): Promise<RecoveryReport> {
    this.#starts += 1;
    const random = this.world.random.fork(`process/${this.#starts}`);
    this.clock = new SimClock(this.world);
    const outcome = await this.world.runUntilSettled(
      openStore(
        { clock: this.clock, disk: this.disk, random },
        {
          partitions,
          segmentBytes: 64 * 1024,
          queueBytesMax: 1024 * 1024,
          reserveBytes: 4096,
          durability: "fsync",
          cache: new TinyCache(),
          onFatal: (reason) => {
            this.fatal = reason;
          },
          onEvent: (event) => this.events.push(event),
          ...this.#options,
        },
      ),
    );
    if (!outcome.ok) throw new Error(`${outcome.code}: ${outcome.message}`);
    this.#store = outcome.store;
    return outcome.report;
  }

  crash(kind: "power" | "kill" = "power"): void {
    this.disk.crash(kind);
    this.clock.crash();
    this.disk = this.disk.reopen();
    this.#store = undefined;
  }

  async stop(): Promise<void> {
    await this.world.runUntilSettled(this.store.stop());
    this.clock.crash();
    this.disk.crash("kill");
    this.disk = this.disk.reopen();
    this.#store = undefined;
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

  /** Appends a new version; the promise resolves when the store says so, or never after a crash. */
  update(name: string, counter: number, bytes: number = 100): Promise<UpdateOutcome> {
    return new Promise((resolve) => {
      this.store.update(placed(name), {
        bytes,
        mayUseReserve: false,
        apply: () => version(name, counter, bytes),
        settle: resolve,
      });
    });
  }

  async updated(name: string, counter: number, bytes: number = 100): Promise<UpdateOutcome> {
    return this.world.runUntilSettled(this.update(name, counter, bytes));
  }

  /** Lets background work of some virtual milliseconds happen. */
  async pass(ms: number): Promise<void> {
    await this.world.run({ until: this.world.nowMs + ms });
  }
}

export function placed(name: string): PlacedKey {
  const key: Key = { bucket: "default", key: utf8(name) };
  const token = tokenOf(key);
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
      },
    ],
    deadWrites: [],
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
