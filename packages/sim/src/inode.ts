import type { Memory } from "./memory.ts";
import type { SeededRandom } from "./random.ts";

/** What a real disk writes whole or not at all. */
const sectorBytes = 512;
/** What a file system allocates at once. */
const blockBytes = 4096;

type Change =
  | { readonly kind: "write"; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly size: number };

/** One file: its content as processes see it, and the part of it that is durable. */
export class Inode {
  readonly #memory: Memory;
  readonly #seen: Content;
  readonly #durable: Content;
  #unsynced: Change[] = [];
  #changes = 0;
  /** True if processes may see what no sync will ever make durable. */
  #isCacheAhead = false;
  readonly #blocks = new Set<number>();

  constructor(memory: Memory, bytes: Uint8Array = new Uint8Array(0)) {
    this.#memory = memory;
    this.#seen = new Content(memory, bytes);
    this.#durable = new Content(memory, bytes);
    this.#allocate(0, bytes.length);
  }

  get size(): number {
    return this.#seen.size;
  }

  read(position: number, length: number): Uint8Array {
    return this.#seen.read(position, length);
  }

  copy(): Uint8Array {
    return this.#seen.read(0, this.#seen.size);
  }

  write(position: number, bytes: Uint8Array): void {
    const copy = this.#memory.copy(bytes);
    this.#seen.write(position, copy);
    this.#allocate(position, copy.length);
    this.#note({ kind: "write", position, bytes: copy });
  }

  /** A longer size adds zeros, and allocates nothing for them: the file is sparse there. */
  truncate(size: number): void {
    this.#seen.truncate(size);
    for (const block of this.#blocks) {
      if (block * blockBytes >= size) this.#blocks.delete(block);
    }
    this.#note({ kind: "truncate", size });
  }

  /** Changes made so far: what a sync that starts now will cover. */
  get changes(): number {
    return this.#changes;
  }

  /** Makes the first `changes` changes durable. */
  sync(changes: number): void {
    for (const change of this.#takeUnsynced(changes)) this.#apply(change);
  }

  /**
   * A sync failed. The kernel now takes the pages for clean: no later sync writes them, so what
   * did not reach the disk is gone with the cache.
   */
  failSync(changes: number, random: SeededRandom): void {
    this.#isCacheAhead = true;
    for (const change of this.#takeUnsynced(changes)) this.#applyPart(change, random);
  }

  /** Only what is durable remains, and of each unsynced change what the seed decides. */
  losePower(random: SeededRandom): void {
    if (this.#unsynced.length === 0 && !this.#isCacheAhead) return;
    for (const change of this.#unsynced) this.#applyPart(change, random);
    this.#unsynced = [];
    this.#isCacheAhead = false;
    this.#seen.become(this.#durable);
  }

  /** Bit rot: under the cache and in it. */
  flipBit(offset: number, bit: number): void {
    for (const content of [this.#seen, this.#durable]) content.flipBit(offset, bit);
  }

  allocatedBytes(): number {
    return this.#blocks.size * blockBytes;
  }

  /** Bytes that writing here would newly allocate. */
  bytesToAllocate(position: number, length: number): number {
    let blocks = 0;
    const end = position + length;
    for (let block = Math.floor(position / blockBytes); block * blockBytes < end; block += 1) {
      if (length > 0 && !this.#blocks.has(block)) blocks += 1;
    }
    return blocks * blockBytes;
  }

  #allocate(position: number, length: number): void {
    const end = position + length;
    for (let block = Math.floor(position / blockBytes); block * blockBytes < end; block += 1) {
      if (length > 0) this.#blocks.add(block);
    }
  }

  #note(change: Change): void {
    this.#unsynced.push(change);
    this.#changes++;
  }

  /** Of the first `changes` changes ever made, those that no sync has covered. */
  #takeUnsynced(changes: number): readonly Change[] {
    const alreadySynced = this.#changes - this.#unsynced.length;
    return this.#unsynced.splice(0, Math.max(0, changes - alreadySynced));
  }

  #apply(change: Change): void {
    if (change.kind === "truncate") this.#durable.truncate(change.size);
    else this.#durable.write(change.position, change.bytes);
  }

  /** Kept, lost or, for a write, torn: a prefix of it, or some of its sectors, reached the disk. */
  #applyPart(change: Change, random: SeededRandom): void {
    const fate = random.below(change.kind === "write" ? 4 : 2);
    if (fate === 0) return;
    if (fate === 1) return this.#apply(change);
    if (change.kind !== "write") return;
    if (fate === 2) {
      const bytes = change.bytes.subarray(0, random.below(change.bytes.length + 1));
      return this.#durable.write(change.position, bytes);
    }
    for (const [from, to] of sectorsOf(change.position, change.bytes.length)) {
      if (random.chance(500)) {
        const bytes = change.bytes.subarray(from - change.position, to - change.position);
        this.#durable.write(from, bytes);
      }
    }
  }
}

/** The parts of a write, each within one sector. */
function* sectorsOf(position: number, length: number): Generator<readonly [number, number]> {
  const end = position + length;
  for (let from = position; from < end;) {
    const to = Math.min(end, (Math.floor(from / sectorBytes) + 1) * sectorBytes);
    yield [from, to];
    from = to;
  }
}

/** Bytes that grow: all beyond `size` in the buffer are zeros. */
class Content {
  readonly #memory: Memory;
  #buffer: Uint8Array;
  #size: number;

  constructor(memory: Memory, bytes: Uint8Array) {
    this.#memory = memory;
    this.#buffer = memory.copy(bytes);
    this.#size = bytes.length;
  }

  get size(): number {
    return this.#size;
  }

  read(position: number, length: number): Uint8Array {
    const end = Math.min(this.#size, position + length);
    return this.#memory.copy(this.#buffer.subarray(position, end));
  }

  write(position: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#grow(position + bytes.length);
    this.#buffer.set(bytes, position);
  }

  truncate(size: number): void {
    if (size < this.#size) this.#buffer.fill(0, size, this.#size);
    else this.#grow(size);
    this.#size = size;
  }

  flipBit(offset: number, bit: number): void {
    if (offset < this.#size) this.#buffer[offset] = (this.#buffer[offset] ?? 0) ^ (1 << bit);
  }

  become(other: Content): void {
    this.#buffer = this.#memory.copy(other.#buffer);
    this.#size = other.#size;
  }

  #grow(size: number): void {
    if (size > this.#buffer.length) {
      const grown = this.#memory.take(Math.max(size, this.#buffer.length * 2));
      grown.set(this.#buffer);
      this.#buffer = grown;
    }
    this.#size = Math.max(this.#size, size);
  }
}
