import { invariant } from "@coterie/core";
import type { Disk, DiskError, DiskOutcome, File, Settle } from "@coterie/ports";
import type { ProcessGate } from "./gate.ts";
import type { Inode } from "./inode.ts";
import { type DiskImage, Platter } from "./platter.ts";
import type { SeededRandom } from "./random.ts";
import type { LatencyRange, World } from "./world.ts";

export type { DiskImage } from "./platter.ts";

/** An operation of the port, as faults name it. */
export type DiskOperation =
  | "lock"
  | "unlock"
  | "list"
  | "open"
  | "size"
  | "read"
  | "write"
  | "sync"
  | "truncate"
  | "close"
  | "rename"
  | "remove"
  | "syncDirectory"
  | "free";

const latencyOf: Readonly<Record<DiskOperation, keyof DiskLatencies>> = {
  lock: "directory",
  unlock: "directory",
  list: "directory",
  open: "directory",
  size: "read",
  read: "read",
  write: "write",
  sync: "sync",
  truncate: "write",
  close: "read",
  rename: "directory",
  remove: "directory",
  syncDirectory: "sync",
  free: "read",
};

export interface DiskFault {
  readonly operation: DiskOperation;
  /** Of this file only. */
  readonly name?: string;
  /** Only reads and writes that touch bytes from `from` up to, not including, `to`. */
  readonly range?: { readonly from: number; readonly to: number };
  readonly error: DiskError;
  /** How often it strikes before it is over; for ever unless given. */
  readonly times?: number;
}

export interface DiskLatencies {
  readonly read: LatencyRange;
  readonly write: LatencyRange;
  readonly sync: LatencyRange;
  readonly directory: LatencyRange;
}

export interface SimDiskOptions {
  /** Names the disk in the trace and forks its randomness; the holder of its lock. */
  readonly name?: string;
  /** Bytes that fit; without it, no limit. */
  readonly capacityBytes?: number;
  readonly latencies?: DiskLatencies;
}

const usualLatencies: DiskLatencies = {
  read: { msMin: 0.125, msMax: 0.5 },
  write: { msMin: 0.125, msMax: 0.5 },
  sync: { msMin: 0.25, msMax: 2 },
  directory: { msMin: 0.125, msMax: 1 },
};

interface SimFile extends File {
  readonly inode: Inode;
  isOpen: boolean;
}

/** What an operation is about, for faults and the trace. */
interface Subject {
  readonly operation: DiskOperation;
  readonly name: string;
  readonly position?: number;
  readonly length?: number;
}

/** An operation under way: what it does when its time has come. */
type Pending = () => void;

/**
 * A disk with faults, as one process sees it. Concurrent operations finish in any order. After
 * {@link crash} it is dead: nothing settles any more, and {@link reopen} gives the next process's
 * disk over what survived.
 */
export class SimDisk implements Disk {
  /** Of every latency; 1 unless the disk is slow. */
  slowdown = 1;
  capacityBytes: number;
  /** Whether the process runs that uses the disk. */
  gate: ProcessGate | undefined;
  readonly #world: World;
  readonly #platter: Platter;
  readonly #name: string;
  readonly #random: SeededRandom;
  readonly #latencies: DiskLatencies;
  readonly #pending = new Set<Pending>();
  readonly #faults: (DiskFault & { left: number })[] = [];
  #isCrashed = false;

  constructor(
    world: World,
    options: SimDiskOptions = {},
    platter: Platter = new Platter(world.memory),
  ) {
    this.#world = world;
    this.#platter = platter;
    this.#name = options.name ?? "disk";
    this.#random = world.random.fork(`disk/${this.#name}/${world.eventsRun}`);
    this.#latencies = options.latencies ?? usualLatencies;
    this.capacityBytes = options.capacityBytes ?? Number.MAX_SAFE_INTEGER;
  }

  /** A disk that no process has used yet, with these files on it. */
  static holding(world: World, image: DiskImage, options: SimDiskOptions): SimDisk {
    const platter = new Platter(world.memory);
    platter.replace(image);
    return new SimDisk(world, options, platter);
  }

  lock(settle: Settle): void {
    this.#submit({ operation: "lock", name: "" }, settle, () => {
      const { holder } = this.#platter;
      if (holder !== undefined) return failure("locked", `held by ${holder}`);
      this.#platter.holder = this.#name;
      return done;
    });
  }

  unlock(settle: Settle): void {
    this.#submit({ operation: "unlock", name: "" }, settle, () => {
      if (this.#platter.holder === this.#name) this.#platter.holder = undefined;
      return done;
    });
  }

  list(settle: Settle<readonly string[]>): void {
    this.#submit({ operation: "list", name: "" }, settle, () => success(this.#platter.names()));
  }

  open(name: string, mode: "existing" | "create", settle: Settle<File>): void {
    invariant(/^[a-z0-9._-]+$/u.test(name), "a file's name is made of [a-z0-9._-]");
    this.#submit({ operation: "open", name }, settle, () => {
      const existing = this.#platter.find(name);
      if (mode === "create" && existing !== undefined) return failure("io", `${name} exists`);
      if (mode === "existing" && existing === undefined) return failure("missing", name);
      const file: SimFile = {
        name,
        inode: existing ?? this.#platter.create(name),
        isOpen: true,
      };
      return success<File>(file);
    });
  }

  size(file: File, settle: Settle<number>): void {
    const { inode } = opened(file);
    this.#submit({ operation: "size", name: file.name }, settle, () => success(inode.size));
  }

  read(file: File, position: number, length: number, settle: Settle<Uint8Array>): void {
    const { inode } = opened(file);
    this.#submit({ operation: "read", name: file.name, position, length }, settle, () =>
      success(inode.read(position, length)),
    );
  }

  write(file: File, position: number, bytes: Uint8Array, settle: Settle): void {
    const { inode } = opened(file);
    const { length } = bytes;
    // Before it failed, a part may have been written.
    const writePart = (lengthMax: number): void =>
      inode.write(position, bytes.subarray(0, this.#random.below(lengthMax + 1)));
    const perform = (): DiskOutcome => {
      const needed =
        this.capacityBytes === Number.MAX_SAFE_INTEGER
          ? 0
          : inode.bytesToAllocate(position, length);
      if (needed > 0 && this.#freeBytes() < needed) {
        writePart(Math.min(length, this.#freeBytes()));
        return failure("full", "no space left on the simulated disk");
      }
      inode.write(position, bytes);
      return done;
    };
    const subject = { operation: "write", name: file.name, position, length } as const;
    this.#submit(subject, settle, perform, () => writePart(length));
  }

  sync(file: File, settle: Settle): void {
    const { inode } = opened(file);
    // Covers what was written when it was called; a write under way now is not covered.
    const changes = inode.changes;
    this.#submit(
      { operation: "sync", name: file.name },
      settle,
      () => {
        inode.sync(changes);
        return done;
      },
      () => inode.failSync(changes, this.#random),
    );
  }

  truncate(file: File, size: number, settle: Settle): void {
    const { inode } = opened(file);
    this.#submit({ operation: "truncate", name: file.name, length: size }, settle, () => {
      inode.truncate(size);
      return done;
    });
  }

  close(file: File, settle: Settle): void {
    const open = opened(file);
    open.isOpen = false;
    this.#submit({ operation: "close", name: file.name }, settle, () => done);
  }

  rename(from: string, to: string, settle: Settle): void {
    this.#submit({ operation: "rename", name: from }, settle, () => {
      if (this.#platter.find(from) === undefined) return failure("missing", from);
      this.#platter.rename(from, to);
      return done;
    });
  }

  remove(name: string, settle: Settle): void {
    this.#submit({ operation: "remove", name }, settle, () => {
      if (this.#platter.find(name) === undefined) return failure("missing", name);
      this.#platter.remove(name);
      return done;
    });
  }

  syncDirectory(settle: Settle): void {
    const changes = this.#platter.changes;
    this.#submit({ operation: "syncDirectory", name: "" }, settle, () => {
      this.#platter.syncNames(changes);
      return done;
    });
  }

  free(settle: Settle<number>): void {
    this.#submit({ operation: "free", name: "" }, settle, () => success(this.#freeBytes()));
  }

  /** From now on operations that match fail. Returns what takes the fault back. */
  inject(fault: DiskFault): () => void {
    const entry = { ...fault, left: fault.times ?? Number.POSITIVE_INFINITY };
    this.#faults.push(entry);
    return () => {
      entry.left = 0;
    };
  }

  /** True while nothing fails, nothing is slow, and there is space. */
  get isSound(): boolean {
    const isFaulty = this.#faults.some(({ left }) => left > 0);
    return !isFaulty && this.slowdown === 1 && this.capacityBytes === Number.MAX_SAFE_INTEGER;
  }

  /** Bit rot: silently changes what is stored. */
  flipBit(name: string, offset: number, bit: number = 0): void {
    this.#world.trace(`${this.#name} rots ${name} at ${offset}`);
    this.#platter.find(name)?.flipBit(offset, bit);
  }

  /**
   * The process is gone: nothing settles any more. What was under way may still have happened. When
   * the power fails, each unsynced write is kept, lost or torn, and unsynced directory operations
   * may be undone; a killed process leaves its writes in the system's cache.
   */
  crash(kind: "power" | "kill" = "power"): void {
    invariant(!this.#isCrashed, "a process crashes once");
    this.#isCrashed = true;
    for (const finish of this.#pending) if (this.#random.chance(500)) finish();
    this.#pending.clear();
    if (kind === "power") this.#platter.losePower(this.#random);
    if (this.#platter.holder === this.#name) this.#platter.holder = undefined;
    this.#world.trace(`${this.#name} crashes (${kind})`);
  }

  /** The next process's disk, after a crash. Faults and slowness are not handed on. */
  reopen(): SimDisk {
    invariant(this.#isCrashed, "only a crashed process's disk is opened again");
    return this.#another(this.#name);
  }

  /** The same directory as another process sees it. */
  forProcess(name: string): SimDisk {
    invariant(name !== this.#name, "two processes have two names");
    return this.#another(name);
  }

  /** Every file's content, as processes see it now. */
  image(): DiskImage {
    return this.#platter.image();
  }

  /** After a crash: puts these files in the place of what survived; none of them wipes the disk. */
  restore(image: DiskImage): void {
    invariant(this.#isCrashed, "a disk is replaced while no process uses it");
    this.#platter.replace(image);
    this.#world.trace(`${this.#name} is restored to ${image.size} files`);
  }

  #another(name: string): SimDisk {
    const { capacityBytes } = this;
    const options = { name, capacityBytes, latencies: this.#latencies };
    return new SimDisk(this.#world, options, this.#platter);
  }

  #freeBytes(): number {
    return Math.max(0, this.capacityBytes - this.#platter.allocatedBytes());
  }

  #submit<Value>(
    subject: Subject,
    settle: Settle<Value>,
    perform: () => DiskOutcome<Value>,
    performFailing: () => void = () => {},
  ): void {
    if (this.#isCrashed) return;
    const { operation, name } = subject;
    const execute = (): DiskOutcome<Value> => {
      const error = this.#strike(subject);
      if (error === undefined) return perform();
      performFailing();
      return failure(error, `injected: ${operation} ${name}`);
    };
    this.#pending.add(execute);
    this.#world.later(this.#latency(operation), () => {
      if (this.#isCrashed) return;
      this.#pending.delete(execute);
      const outcome = execute();
      const { position = "", length = "" } = subject;
      const result = outcome.ok ? " ok" : ` ${outcome.error}`;
      const from = this.#name;
      this.#world.trace(from, " ", operation, " ", name, " ", position, "+", length, result);
      if (this.gate === undefined) settle(outcome);
      else this.gate.run(() => settle(outcome));
    });
  }

  #latency(operation: DiskOperation): number {
    const range = this.#latencies[latencyOf[operation]];
    return this.#world.latency(range, this.#random) * this.slowdown;
  }

  #strike(subject: Subject): DiskError | undefined {
    if (this.#faults.length === 0) return undefined;
    const fault = this.#faults.find((candidate) => strikes(candidate, subject));
    if (fault === undefined) return undefined;
    fault.left--;
    return fault.error;
  }
}

const done: DiskOutcome = { ok: true, value: undefined };

function success<Value>(value: Value): DiskOutcome<Value> {
  return { ok: true, value };
}

function failure(error: DiskError, message: string): DiskOutcome<never> {
  return { ok: false, error, message };
}

function opened(file: File): SimFile {
  const open = file as SimFile;
  invariant(open.isOpen, "a file is used only while it is open");
  return open;
}

function strikes(fault: DiskFault & { left: number }, subject: Subject): boolean {
  if (fault.left <= 0 || fault.operation !== subject.operation) return false;
  if (fault.name !== undefined && fault.name !== subject.name) return false;
  if (fault.range === undefined) return true;
  const from = subject.position ?? 0;
  return from < fault.range.to && from + (subject.length ?? 0) > fault.range.from;
}
