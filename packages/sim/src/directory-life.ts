import {
  DeadWrites,
  type ActorId,
  type PartitionId,
  VersionVector,
  encodeRecord,
  hybridTimeZero,
  partitionOf,
  tokenOf,
  utf8,
} from "@coterie/core";
import {
  type Held,
  type PlacedKey,
  type RecordStore,
  type StoredRecord,
  openStore,
} from "@coterie/storage";
import { SimClock } from "./clock.ts";
import { SimDisk } from "./disk.ts";
import { SimEngine } from "./key-value-engine.ts";
import { type Turns, World } from "./world.ts";

const partitions = 4;
const keys = 12;
const stepsMax = 120;
const actor = "00000000000000aa" as ActorId;

/** What was asked of a key, in order: a version, or 0 for its removal. */
interface History {
  readonly asked: number[];
  /** The last of those that was acknowledged. */
  acknowledged: number;
}

/**
 * Runs one directory through a life drawn from a seed: records are put and removed for good, logs
 * are compacted, processes crash and checkpoints are lost. Returns what it held that it must not,
 * or did not hold that it must: a cluster's other replicas would hide that, mostly. The records are
 * in the log, or in an engine behind it.
 */
export async function runDirectoryLife(
  seed: number,
  drain: () => Promise<void>,
  turns?: Turns,
  hasEngine: boolean = false,
): Promise<readonly string[]> {
  const life = new DirectoryLife(new World({ seed, drain, turns }), hasEngine);
  await life.run();
  return life.violations;
}

class DirectoryLife {
  readonly violations: string[] = [];
  readonly #world: World;
  readonly #histories: readonly History[];
  #disk: SimDisk;
  #engine: SimEngine | undefined;
  #clock: SimClock;
  #store: RecordStore | undefined;
  #starts = 0;

  constructor(world: World, hasEngine: boolean) {
    this.#world = world;
    this.#disk = new SimDisk(world);
    this.#engine = hasEngine ? new SimEngine(world) : undefined;
    this.#clock = new SimClock(world);
    this.#histories = Array.from({ length: keys }, () => ({ asked: [0], acknowledged: 0 }));
  }

  async run(): Promise<void> {
    const random = this.#world.random.fork("life");
    await this.#open();
    for (let step = 0; step < stepsMax && this.violations.length === 0; step += 1) {
      const key = random.below(keys);
      const drawn = random.below(36);
      if (drawn < 12) this.#put(key, random.below(2) === 0 ? 300 : random.below(20_000));
      else if (drawn < 20) this.#remove(key);
      else if (drawn < 28) await this.#pass(random.below(3000));
      else if (drawn < 32) void this.#opened.compact();
      else await this.#restart(["power", "kill", "stop"][drawn % 3], random.below(2) === 0);
    }
    await this.#restart("kill", true);
  }

  get #opened(): RecordStore {
    if (this.#store === undefined) throw new Error("the store is open");
    return this.#store;
  }

  async #open(): Promise<void> {
    this.#starts += 1;
    const random = this.#world.random.fork(`process/${this.#starts}`);
    this.#clock = new SimClock(this.#world);
    const opened = await this.#world.runUntilSettled(
      openStore(
        { clock: this.#clock, disk: this.#disk, random },
        {
          partitions,
          hash: "md5",
          classOf: () => 1,
          segmentBytes: 64 * 1024,
          queueBytesMax: 1024 * 1024,
          reserveBytes: 4096,
          durability: "fsync",
          cacheBytes: 1024,
          onFatal: (reason) => this.violations.push(`the store gave up: ${reason}`),
          onEvent: () => undefined,
        },
        this.#engine,
      ),
    );
    if (!opened.ok) throw new Error(`${opened.code}: ${opened.message}`);
    this.#store = opened.store;
  }

  #put(key: number, bytes: number): void {
    const { asked } = this.#historyOf(key);
    const stored = versionOf(key, asked.length, bytes);
    asked.push(asked.length);
    this.#update(key, bytes, stored);
  }

  #remove(key: number): void {
    this.#historyOf(key).asked.push(0);
    this.#update(key, 0, "gone");
  }

  #update(key: number, bytes: number, after: StoredRecord | "gone"): void {
    const history = this.#historyOf(key);
    const at = history.asked.length - 1;
    this.#opened.update(placed(key), {
      bytes,
      mayUseReserve: true,
      apply: () => after,
      settle: ({ ok }) => {
        if (ok) history.acknowledged = Math.max(history.acknowledged, at);
      },
    });
  }

  async #pass(ms: number): Promise<void> {
    await this.#world.run({ until: this.#world.nowMs + ms });
  }

  async #restart(how: string | undefined, losesCheckpoint: boolean): Promise<void> {
    if (how === "stop") await this.#world.runUntilSettled(this.#opened.stop());
    this.#disk.crash(how === "power" ? "power" : "kill");
    this.#engine?.crash(how === "power" ? "power" : "kill");
    this.#engine = this.#engine?.reopen();
    this.#clock.crash();
    if (losesCheckpoint) {
      const files = [...this.#disk.image()].filter(([name]) => !name.startsWith("checkpoint-"));
      this.#disk.restore(new Map(files));
    }
    this.#disk = this.#disk.reopen();
    await this.#open();
    const { tokens, isWhole } = this.#opened.damage();
    if (tokens.length > 0 || !isWhole) this.violations.push("a crash is taken for damage");
    for (let key = 0; key < keys; key += 1) await this.#check(key);
  }

  async #check(key: number): Promise<void> {
    const history = this.#historyOf(key);
    const held = await this.#read(key);
    const possible = history.asked.slice(history.acknowledged);
    if (!possible.includes(held)) {
      this.violations.push(`key ${key} holds ${held}, and not one of ${possible.join(", ")}`);
    }
    // From here on it is known: what a crash has taken was never promised.
    history.acknowledged = Math.max(0, history.asked.lastIndexOf(held));
    history.asked.length = history.acknowledged + 1;
  }

  async #read(key: number): Promise<number> {
    const held = await this.#world.runUntilSettled(
      new Promise<Held>((resolve) => {
        this.#opened.read(placed(key), (outcome) =>
          resolve(outcome.ok ? outcome.held : { state: "unknown" }),
        );
      }),
    );
    if (held.state === "unknown") return -1;
    return held.state === "absent" ? 0 : held.stored.record.clock.get(actor);
  }

  #historyOf(key: number): History {
    return this.#histories[key] as History;
  }
}

function placed(key: number): PlacedKey {
  const named = { bucket: "default", key: utf8(`key-${key}`) };
  const token = tokenOf(named, { hash: "md5", partitions });
  const partition: PartitionId = partitionOf(token, partitions);
  return { ...named, token, partition };
}

function versionOf(key: number, counter: number, bytes: number): StoredRecord {
  const dot = { actor, counter };
  const sibling = {
    dots: [dot],
    value: new Uint8Array(bytes),
    contentType: "",
    writtenAt: hybridTimeZero,
    writeId: undefined,
    expiresAtMs: undefined,
  };
  const record = {
    clock: VersionVector.of([dot]),
    siblings: [sibling],
    deadWrites: DeadWrites.none,
  };
  return { record, bytes: encodeRecord(placed(key), record) };
}
