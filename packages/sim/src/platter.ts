import { invariant } from "@coterie/core";
import { Inode } from "./inode.ts";
import type { Memory } from "./memory.ts";
import type { SeededRandom } from "./random.ts";

/** The content of every file, by name; what a backup or a disk image would hold. */
export type DiskImage = ReadonlyMap<string, Uint8Array>;

/** A directory operation as what it leaves each name pointing to. */
type NameChange = readonly (readonly [name: string, inode: Inode | undefined])[];

/**
 * What a simulated disk holds: the files as processes see them, and what of them is durable. It
 * outlives the processes that use it.
 */
export class Platter {
  /** Who holds the lock. */
  holder: string | undefined;
  readonly #memory: Memory;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #unsynced: NameChange[] = [];
  #changes = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  find(name: string): Inode | undefined {
    return this.#names.get(name);
  }

  names(): readonly string[] {
    // Names are ASCII: the order of UTF-16 units is the order of bytes.
    return [...this.#names.keys()].toSorted();
  }

  create(name: string): Inode {
    const inode = new Inode(this.#memory);
    this.#change([[name, inode]]);
    return inode;
  }

  rename(from: string, to: string): void {
    const inode = this.#names.get(from);
    invariant(inode !== undefined, "a file that is renamed exists");
    this.#change(
      from === to
        ? []
        : [
            [from, undefined],
            [to, inode],
          ],
    );
  }

  remove(name: string): void {
    this.#change([[name, undefined]]);
  }

  /** Directory operations so far: what a sync that starts now will cover. */
  get changes(): number {
    return this.#changes;
  }

  /** Makes the first `changes` directory operations durable. */
  syncNames(changes: number): void {
    const alreadySynced = this.#changes - this.#unsynced.length;
    for (const change of this.#unsynced.splice(0, Math.max(0, changes - alreadySynced))) {
      applyChange(this.#durableNames, change);
    }
  }

  /** Bytes taken by files that have a name. */
  allocatedBytes(): number {
    let total = 0;
    for (const inode of this.#names.values()) total += inode.allocatedBytes();
    return total;
  }

  /** The power failed: of whatever was not synced, the seed decides. */
  losePower(random: SeededRandom): void {
    // A journal keeps a prefix of the directory operations; without one, any of them may be lost.
    const isJournaled = random.chance(500);
    const kept = random.below(this.#unsynced.length + 1);
    for (const [at, change] of this.#unsynced.entries()) {
      const isKept = isJournaled ? at < kept : random.chance(500);
      if (isKept) applyChange(this.#durableNames, change);
    }
    for (const name of [...this.#durableNames.keys()].toSorted()) {
      this.#durableNames.get(name)?.losePower(random);
    }
    this.#names = new Map(this.#durableNames);
    this.#unsynced = [];
  }

  image(): DiskImage {
    return new Map(this.names().map((name) => [name, this.#names.get(name)?.copy() as Uint8Array]));
  }

  /** Replaces everything, durably. */
  replace(image: DiskImage): void {
    this.#names = new Map();
    for (const [name, bytes] of image) this.#names.set(name, new Inode(this.#memory, bytes));
    this.#durableNames = new Map(this.#names);
    this.#unsynced = [];
  }

  #change(change: NameChange): void {
    applyChange(this.#names, change);
    this.#unsynced.push(change);
    this.#changes++;
  }
}

function applyChange(names: Map<string, Inode>, change: NameChange): void {
  for (const [name, inode] of change) {
    if (inode === undefined) names.delete(name);
    else {
      // A file has one name, also when the rename before this one was lost.
      for (const [other, held] of names) if (held === inode) names.delete(other);
      names.set(name, inode);
    }
  }
}
