import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { KeyValueEngine } from "@coterie/ports";
import { LevelEngine, NodeDisk, NodeRandom, SystemClock, loadLevel } from "@coterie/server";
import { type Held, type RecordStore, type StoreStatistics, openStore } from "@coterie/storage";
import { replicaStore } from "../anti-entropy/replica-store.ts";
import type { Records } from "./records.ts";
import type { EngineShape, Sample } from "./tasks.ts";

/** A store over one of the engines, as a node has it: durable, groups synced. */
export class EngineStore {
  readonly openMs: number;
  readonly #store: RecordStore;
  readonly #records: Records;
  readonly #valueBytes: number;

  private constructor(
    store: RecordStore,
    records: Records,
    { valueBytes }: EngineShape,
    openMs: number,
  ) {
    this.#store = store;
    this.#records = records;
    this.#valueBytes = valueBytes;
    this.openMs = openMs;
  }

  static async open(shape: EngineShape, records: Records): Promise<EngineStore> {
    const ports = {
      clock: new SystemClock(),
      disk: new NodeDisk(shape.directory),
      random: new NodeRandom(),
    };
    const engine = await engineOf(shape);
    const { partitions } = shape;
    const started = performance.now();
    const opened = await openStore(
      ports,
      {
        ...replicaStore,
        partitions,
        hash: "md5",
        classOf: () => 3,
        // What is kept aside would count as taken by records.
        reserveBytes: 0,
        onEvent: (event) => {
          if (event.kind === "damage") throw new Error(`${event.segment}: ${event.detail}`);
        },
      },
      engine,
    );
    if (!opened.ok) throw new Error(opened.message);
    return new EngineStore(opened.store, records, shape, performance.now() - started);
  }

  statistics(): StoreStatistics {
    return this.#store.statistics();
  }

  /** Puts the first version of a key that is not there. */
  async insert(number: number): Promise<void> {
    await this.#put(number, () => 1);
  }

  /** Puts the version after the one that is held, and returns which that is. */
  overwrite(number: number): Promise<number> {
    return this.#put(number, (held) => {
      if (held.state !== "present") throw new Error(`key ${number} is ${held.state}`);
      return this.#records.versionIn(held.stored) + 1;
    });
  }

  /** Reads a key that is there, without a look into it. */
  async get(number: number): Promise<void> {
    await this.#read(number);
  }

  /** Fails unless the key is there in this version. */
  async check([number, version]: Sample): Promise<void> {
    const stored = await this.#read(number);
    const found = this.#records.versionIn(stored);
    const value = stored.record.siblings[0]?.value ?? new Uint8Array();
    if (found !== version || !Buffer.from(this.#records.value(number, version)).equals(value)) {
      throw new Error(`key ${number} is not as it was acknowledged: ${found}, not ${version}`);
    }
  }

  stop(): Promise<void> {
    return this.#store.stop();
  }

  #put(number: number, versionAfter: (held: Held) => number): Promise<number> {
    const key = this.#records.key(number);
    let version = 0;
    return new Promise((resolve, reject) => {
      this.#store.update(key, {
        bytes: this.#valueBytes,
        mayUseReserve: false,
        apply: (held) => {
          version = versionAfter(held);
          return this.#records.record(key, number, version);
        },
        settle: (outcome) => {
          if (outcome.ok) resolve(version);
          else reject(new Error(`a put failed: ${outcome.code}`));
        },
      });
    });
  }

  #read(number: number): Promise<Extract<Held, { state: "present" }>["stored"]> {
    return new Promise((resolve, reject) => {
      this.#store.read(this.#records.key(number), (outcome) => {
        if (!outcome.ok) reject(new Error(`a get failed: ${outcome.code}`));
        else if (outcome.held.state === "present") resolve(outcome.held.stored);
        else reject(new Error(`key ${number} is ${outcome.held.state}`));
      });
    });
  }
}

async function engineOf({ engine, directory }: EngineShape): Promise<KeyValueEngine | undefined> {
  if (engine === "log") return undefined;
  const loaded = await loadLevel();
  if (!loaded.ok) throw new Error(loaded.message);
  return new LevelEngine(join(directory, "leveldb"), loaded.level);
}
