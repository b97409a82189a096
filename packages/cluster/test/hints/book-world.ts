import {
  DeadWrites,
  type ActorId,
  type CausalRecord,
  type Dot,
  type Key,
  type NodeId,
  VersionVector,
  applyPut,
  emptyRecord,
  encodeRecord,
  hybridTimeZero,
  latin1,
  partitionOf,
  tokenOf,
  utf8,
} from "@coterie/core";
import { SimClock, SimDisk, World } from "@coterie/sim";
import type { Held, PlacedKey, StoredRecord } from "@coterie/storage";
import {
  HintBook,
  type HintsLost,
  type HoldOutcome,
  type OpenBookOutcome,
} from "../../src/index.ts";

const settings = { partitions: 8, hash: "md5" } as const;

export const n1 = "n1" as NodeId;
export const n2 = "n2" as NodeId;

/** One directory, and the hints that a process has opened in it. */
export class BookWorld {
  readonly world: World;
  readonly lost: HintsLost[] = [];
  disk: SimDisk;
  clock: SimClock;
  fatal: string | undefined;
  /** Called before each operation of the disk, by its number. */
  onOperation: ((operation: number) => void) | undefined;
  operations = 0;
  /** What the node's own store would do. */
  borrowReserve: () => Promise<boolean> = () => Promise.resolve(false);
  readonly #bytesMax: number;
  #book: HintBook | undefined;
  #starts = 0;

  constructor(seed: number, bytesMax: number = 1024 * 1024, capacityBytes?: number) {
    const drain = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    this.world = new World({ seed, drain });
    this.disk = new SimDisk(this.world, capacityBytes === undefined ? {} : { capacityBytes });
    this.clock = new SimClock(this.world);
    this.#bytesMax = bytesMax;
  }

  /** A directory in which a process has opened its hints for the first time. */
  static async opened(seed: number = 1, bytesMax?: number): Promise<BookWorld> {
    const directory = new BookWorld(seed, bytesMax);
    await directory.open();
    return directory;
  }

  get book(): HintBook {
    if (this.#book === undefined) throw new Error("the book is not open");
    return this.#book;
  }

  async open(): Promise<void> {
    const outcome = await this.tryOpen();
    if (!outcome.ok) throw new Error(`${outcome.code}: ${outcome.message}`);
  }

  async tryOpen(): Promise<OpenBookOutcome> {
    this.#starts += 1;
    this.clock = new SimClock(this.world);
    const outcome = await this.until(
      HintBook.open({
        clock: this.clock,
        disk: this.#tapped(this.disk),
        random: this.world.random.fork(`process/${this.#starts}`),
        settings,
        store: {
          segmentBytes: 64 * 1024,
          queueBytesMax: 1024 * 1024,
          reserveBytes: 0,
          durability: "fsync",
          cacheBytes: 1024,
          onFatal: (reason) => {
            this.fatal = reason;
          },
          onEvent: () => undefined,
        },
        bytesMax: this.#bytesMax,
        borrowReserve: () => this.borrowReserve(),
        onLost: (lost) => this.lost.push(lost),
      }),
    );
    this.#book = outcome.ok ? outcome.book : undefined;
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

  until<Value>(story: Promise<Value>): Promise<Value> {
    return this.world.runUntilSettled(story);
  }

  crash(kind: "power" | "kill" = "power"): void {
    this.disk.crash(kind);
    this.clock.crash();
    this.disk = this.disk.reopen();
    this.#book = undefined;
  }

  async stop(): Promise<void> {
    await this.until(this.book.stop());
    this.crash("kill");
  }

  /** Stops, and opens again. */
  async restart(): Promise<void> {
    await this.stop();
    await this.open();
  }

  /** Names of the files. */
  files(): readonly string[] {
    return [...this.disk.image().keys()];
  }

  hold(target: NodeId, name: string, stored: StoredRecord): Promise<HoldOutcome> {
    return new Promise((resolve) => {
      this.book.hold(target, placed(name), stored, resolve);
    });
  }

  async held(target: NodeId, name: string, stored: StoredRecord): Promise<HoldOutcome> {
    return this.until(this.hold(target, name, stored));
  }

  /** Coordinates a put in the target's place; tells the dot under which it wrote. */
  write(
    target: NodeId,
    name: string,
    value: string,
  ): Promise<{ readonly outcome: HoldOutcome; readonly dot: Dot | undefined }> {
    let dot: Dot | undefined;
    return new Promise((resolve) => {
      this.book.write(target, placed(name), {
        bytes: 256 + value.length,
        apply: (held, minter) => {
          const before = held.state === "present" ? held.stored.record : emptyRecord;
          const applied = applyPut(before, {
            value: utf8(value),
            contentType: "",
            writeId: undefined,
            writtenAt: hybridTimeZero,
            expiresAtMs: undefined,
            context: undefined,
            overwrites: false,
            mint: () => {
              dot = minter.mint();
              return dot;
            },
          });
          if (!applied.ok) throw new Error(applied.code);
          return storedAs(name, applied.record);
        },
        settle: (outcome) => resolve({ outcome, dot }),
      });
    });
  }

  async written(target: NodeId, name: string, value: string): Promise<Dot> {
    const { outcome, dot } = await this.until(this.write(target, name, value));
    if (!outcome.ok || dot === undefined) throw new Error(JSON.stringify(outcome));
    return dot;
  }

  /** Lets some virtual milliseconds pass. */
  async pass(ms: number): Promise<void> {
    await this.world.run({ until: this.world.nowMs + ms });
  }

  /** Flips a bit in the value of the key's newest record, while no process runs. */
  rot(name: string): void {
    for (const [file, bytes] of [...this.disk.image()].toReversed()) {
      const offset = latin1(bytes).lastIndexOf(name);
      if (!file.endsWith(".seg") || offset < 0) continue;
      this.disk.flipBit(file, offset + name.length + 12);
      return;
    }
    throw new Error(`${name} is in no segment`);
  }

  read(name: string): Promise<Held> {
    return this.until(
      new Promise((resolve) => {
        this.book.read(placed(name), resolve);
      }),
    );
  }

  /** The values held of a key, or its state. */
  async values(name: string): Promise<readonly string[] | string> {
    const held = await this.read(name);
    return held.state === "present" ? valuesOf(held.stored.record) : held.state;
  }
}

export function placed(name: string): PlacedKey {
  const key: Key = { bucket: "default", key: utf8(name) };
  const token = tokenOf(key, settings);
  return { ...key, token, partition: partitionOf(token, settings.partitions) };
}

/** A record with one value under one dot. */
export function version(
  name: string,
  counter: number,
  { actor = "00000000000000aa", value = `${actor.at(-1)}${counter}` } = {},
): StoredRecord {
  const dot: Dot = { actor: actor as ActorId, counter };
  const sibling = {
    dots: [dot],
    value: utf8(value),
    contentType: "",
    writtenAt: hybridTimeZero,
    writeId: undefined,
    expiresAtMs: undefined,
  };
  return storedAs(name, {
    clock: VersionVector.of([dot]),
    siblings: [sibling],
    deadWrites: DeadWrites.none,
  });
}

function storedAs(name: string, record: CausalRecord): StoredRecord {
  return { record, bytes: encodeRecord({ bucket: "default", key: utf8(name) }, record) };
}

export function valuesOf(record: CausalRecord): readonly string[] {
  return record.siblings.map(({ value }) => latin1(value)).toSorted();
}
