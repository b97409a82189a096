import { ByteReader, ByteWriter, type PartitionId, crc32c } from "@coterie/core";
import type { Disk, DiskOutcome } from "@coterie/ports";
import { BulkFile } from "../bulk-file.ts";
import * as io from "../disk-promises.ts";
import { RecordIndex } from "../index/record-index.ts";
import type { ReplayStart } from "../log/log.ts";
import { readDamagedEntry, writeDamagedEntry } from "./control-entries.ts";
import type { DamagedEntry } from "./damage.ts";
import { type WrittenDiscard, readDiscard, writeDiscard } from "./discards.ts";
import { type Removal, readRemoval, writeRemoval } from "./removals.ts";

// A checkpoint is the index as it was at some position of the log, and what else a start must
// know, so that only the log's tail is read again. Specified in docs/internals/log-format.md.

const MAGIC = 0x3450_4b43; // "CKP4"
/** No record is marked as wide. */
const MAGIC_BEFORE_WIDTH = 0x3350_4b43; // "CKP3"
/** Digests without a class, and no removals in the head. */
const MAGIC_BEFORE_CLASSES = 0x3250_4b43; // "CKP2"
/** What the first version wrote: slots without the last word too, since nothing expired. */
const MAGIC_BEFORE_EXPIRY = 0x3150_4b43; // "CKP1"
const magics: readonly number[] = [
  MAGIC,
  MAGIC_BEFORE_WIDTH,
  MAGIC_BEFORE_CLASSES,
  MAGIC_BEFORE_EXPIRY,
];
const magicBytes = 4;
const WORDS_PER_SLOT = 8;
const WORDS_BEFORE_EXPIRY = 7;
/** Length and checksum of a block. */
const blockHeaderBytes = 8;
/** Blocks written at once, in bytes: at least, and as memory is taken for them at first. */
const batchBytes = 256 * 1024;
const batchBytesFirst = 4096;
const nothing = new Uint8Array(0);

/** The log is to be replayed from where it says. */
export interface CheckpointHead extends ReplayStart {
  readonly partitions: number;
  /** Sealed segments that the index may point to. All others before the replay are left over. */
  readonly segments: readonly { readonly segment: number; readonly bytes: number }[];
  readonly damaged: readonly DamagedEntry[];
  readonly isWhole: boolean;
  /** Removals that must not be forgotten, each with the segment it was written to last. */
  readonly removals: readonly { readonly segment: number; readonly removal: Removal }[];
  readonly discards: readonly WrittenDiscard[];
  /** Partitions that are not whole. */
  readonly lostPartitions: readonly PartitionId[];
}

export interface Checkpoint extends CheckpointHead {
  /** False where an earlier version wrote it: the digests do not say their classes. */
  readonly hasClasses: boolean;
  readonly index: RecordIndex;
}

const NAME = /^checkpoint-(\d{8})$/u;

export function checkpointName(number: number): string {
  return `checkpoint-${number.toString().padStart(8, "0")}`;
}

/** The number in a checkpoint's name; `undefined` for other files. */
export function checkpointNumber(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function encodeHead(head: CheckpointHead): Uint8Array {
  const writer = new ByteWriter(1024);
  writer.u32(head.partitions);
  writer.u32(head.segment);
  writer.u32(head.offset);
  writer.u48(head.lsn);
  writer.u48(head.sequence);
  writer.u8(head.isWhole ? 1 : 0);
  writer.varint(head.segments.length);
  for (const { segment, bytes } of head.segments) {
    writer.u32(segment);
    writer.u32(bytes);
  }
  writer.varint(head.damaged.length);
  for (const damaged of head.damaged) writeDamagedEntry(writer, damaged);
  writer.varint(head.removals.length);
  for (const { segment, removal } of head.removals) {
    writer.u32(segment);
    writeRemoval(writer, removal);
  }
  writer.varint(head.discards.length);
  for (const { segment, discard } of head.discards) {
    writer.u32(segment);
    writeDiscard(writer, discard);
  }
  writer.varint(head.lostPartitions.length);
  for (const partition of head.lostPartitions) writer.u32(partition);
  return writer.finish();
}

/**
 * Writes the draft of a checkpoint: magic, then blocks of length, CRC32C, bytes: the head, and one
 * per partition. `pause` is awaited between blocks, so that a large index does not stall the node.
 */
export async function writeDraft(
  disk: Disk,
  name: string,
  head: Uint8Array,
  index: RecordIndex,
  pause: () => Promise<void>,
): Promise<DiskOutcome> {
  await io.remove(disk, name);
  const opened = await io.open(disk, name, "create");
  if (!opened.ok) return opened;
  const file = new BulkFile(disk, opened.value);
  let position = 0;
  let batch = new ByteWriter(batchBytesFirst);
  batch.u32(MAGIC);
  writeBlock(batch, head);
  let outcome: DiskOutcome = { ok: true, value: undefined };
  for (let partition = 0; partition < index.partitions && outcome.ok; partition += 1) {
    const words = index.export(partition);
    writeBlock(batch, new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
    if (batch.length < batchBytes && partition + 1 < index.partitions) continue;
    // It is written from where it is: what follows gets memory of its own.
    const bytes = batch.view(0);
    batch = new ByteWriter(batchBytesFirst);
    outcome = await file.write(position, bytes);
    position += bytes.length;
    await pause();
  }
  if (outcome.ok) outcome = await file.sync();
  await io.close(disk, opened.value);
  return outcome;
}

function writeBlock(writer: ByteWriter, bytes: Uint8Array): void {
  writer.u32(bytes.length);
  writer.u32(crc32c(bytes));
  writer.bytes(bytes);
}

/**
 * Reads a checkpoint; `undefined` when it is missing or damaged anywhere. It is never in memory as
 * a whole beside the index: each block goes into the index before the next one is read.
 */
export async function readCheckpoint(disk: Disk, name: string): Promise<Checkpoint | undefined> {
  const opened = await io.open(disk, name, "existing");
  if (!opened.ok) return undefined;
  const size = await io.size(disk, opened.value);
  const end = size.ok ? size.value : 0;
  let index: RecordIndex | undefined;
  const decoder = new CheckpointDecoder((partition, words, { partitions }) => {
    index ??= new RecordIndex(partitions);
    index.import(partition, words);
  });
  let at = 0;
  let isSound = end > 0;
  while (isSound && decoder.wanted > 0 && at + decoder.wanted <= end) {
    const bytes = await io.read(disk, opened.value, at, decoder.wanted);
    at += decoder.wanted;
    isSound = bytes.ok && decoder.take(bytes.value, end - at);
  }
  await io.close(disk, opened.value);
  const { head, hasClasses } = decoder;
  const isWhole = isSound && decoder.wanted === 0 && at === end;
  if (!isWhole || head === undefined || index === undefined) return undefined;
  return { ...head, hasClasses, index };
}

/**
 * Whether a checkpoint is there, and whole: it is not needed before the next start, and what rots
 * meanwhile would cost that start the whole log. `pace` is awaited after each block; false ends it.
 */
export async function isCheckpointSound(
  disk: Disk,
  name: string,
  pace: (bytesRead: number) => Promise<boolean>,
): Promise<boolean> {
  const opened = await io.open(disk, name, "existing");
  if (!opened.ok) return false;
  const size = await io.size(disk, opened.value);
  const end = size.ok ? size.value : 0;
  const magic = await io.read(disk, opened.value, 0, magicBytes);
  let isSound = magic.ok && magics.includes(new ByteReader(magic.value).u32());
  let at = magicBytes;
  while (isSound && at < end) {
    const header = await io.read(disk, opened.value, at, blockHeaderBytes);
    const length = header.ok ? new ByteReader(header.value).u32() : end;
    const isWithin = at + blockHeaderBytes + length <= end;
    const block = isWithin
      ? await io.read(disk, opened.value, at, blockHeaderBytes + length)
      : undefined;
    isSound = block?.ok === true && readBlock(new ByteReader(block.value)) !== undefined;
    at += blockHeaderBytes + length;
    if (!(await pace(blockHeaderBytes + length))) break;
  }
  await io.close(disk, opened.value);
  return isSound;
}

/**
 * Takes a checkpoint apart as its bytes come. It says how many it wants next, and is given exactly
 * those: the magic, then by turns a block's header and the block.
 */
export class CheckpointDecoder {
  readonly #onPartition: (partition: number, words: Uint32Array, head: CheckpointHead) => void;
  #wanted = magicBytes;
  #magic = 0;
  #checksum: number | undefined;
  #head: CheckpointHead | undefined;
  #partition = 0;

  /** @param onPartition is given the words of each, in order, in memory it may keep. */
  constructor(onPartition: (partition: number, words: Uint32Array, head: CheckpointHead) => void) {
    this.#onPartition = onPartition;
  }

  /** 0: nothing more, it was whole. */
  get wanted(): number {
    return this.#wanted;
  }

  /** Undefined until it was taken. */
  get head(): CheckpointHead | undefined {
    return this.#head;
  }

  get hasClasses(): boolean {
    return this.#magic === MAGIC || this.#magic === MAGIC_BEFORE_WIDTH;
  }

  /**
   * Takes the bytes that were wanted; false if they are damaged, which ends it.
   * @param left how many there are behind them: it believes no head that promises more.
   */
  take(bytes: Uint8Array, left: number): boolean {
    if (bytes.length < this.#wanted) return false;
    if (this.#magic === 0) {
      this.#magic = new ByteReader(bytes).u32();
      this.#wanted = blockHeaderBytes;
      return magics.includes(this.#magic);
    }
    if (this.#checksum !== undefined) return this.#takeBlock(bytes, this.#checksum, left);
    const reader = new ByteReader(bytes);
    this.#wanted = reader.u32();
    this.#checksum = reader.u32();
    return this.#wanted > 0 || this.#takeBlock(nothing, this.#checksum, left);
  }

  #takeBlock(bytes: Uint8Array, checksum: number, left: number): boolean {
    if (crc32c(bytes) !== checksum) return false;
    this.#checksum = undefined;
    const isTaken = this.#head === undefined ? this.#takeHead(bytes) : this.#takeSlots(bytes);
    if (!isTaken || this.#head === undefined) return false;
    const blocks = this.#head.partitions - this.#partition;
    this.#wanted = blocks > 0 ? blockHeaderBytes : 0;
    return blocks * blockHeaderBytes <= left;
  }

  #takeHead(bytes: Uint8Array): boolean {
    this.#head = decodeHead(bytes, !this.hasClasses);
    return this.#head !== undefined;
  }

  #takeSlots(bytes: Uint8Array): boolean {
    const hasDeadlines = this.#magic !== MAGIC_BEFORE_EXPIRY;
    const wordsPerSlot = hasDeadlines ? WORDS_PER_SLOT : WORDS_BEFORE_EXPIRY;
    if (bytes.length % (wordsPerSlot * 4) !== 0 || this.#head === undefined) return false;
    const slots = wordsIn(bytes);
    const words = hasDeadlines ? slots : withoutDeadlines(slots);
    this.#onPartition(this.#partition, words, this.#head);
    this.#partition += 1;
    return true;
  }
}

/** As words, where they are if they may be looked at so. */
function wordsIn(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}

function withoutDeadlines(slots: Uint32Array): Uint32Array {
  const count = slots.length / WORDS_BEFORE_EXPIRY;
  const words = new Uint32Array(count * WORDS_PER_SLOT);
  for (let slot = 0; slot < count; slot += 1) {
    const at = slot * WORDS_BEFORE_EXPIRY;
    words.set(slots.subarray(at, at + WORDS_BEFORE_EXPIRY), slot * WORDS_PER_SLOT);
  }
  return words;
}

function readBlock(reader: ByteReader): Uint8Array | undefined {
  const length = reader.u32();
  const checksum = reader.u32();
  const bytes = reader.view(length);
  return reader.failed || crc32c(bytes) !== checksum ? undefined : bytes;
}

/** `undefined` when it is not whole. */
export function decodeHead(bytes: Uint8Array, isOld: boolean): CheckpointHead | undefined {
  const reader = new ByteReader(bytes);
  const partitions = reader.u32();
  const segment = reader.u32();
  const offset = reader.u32();
  const lsn = reader.u48();
  const sequence = reader.u48();
  const isWhole = reader.u8() === 1;
  const segments: { segment: number; bytes: number }[] = [];
  for (let left = reader.varint(); left > 0 && !reader.failed; left -= 1) {
    segments.push({ segment: reader.u32(), bytes: reader.u32() });
  }
  const damaged: DamagedEntry[] = [];
  for (let left = reader.varint(); left > 0 && !reader.failed; left -= 1) {
    damaged.push(readDamagedEntry(reader));
  }
  const gone = isOld ? nothingGone : readGone(reader);
  if (reader.failed) return undefined;
  return { partitions, segment, offset, lsn, sequence, isWhole, segments, damaged, ...gone };
}

type Gone = Pick<CheckpointHead, "removals" | "discards" | "lostPartitions">;
const nothingGone: Gone = { removals: [], discards: [], lostPartitions: [] };

function readGone(reader: ByteReader): Gone {
  const removals: { segment: number; removal: Removal }[] = [];
  for (let left = reader.varint(); left > 0 && !reader.failed; left -= 1) {
    removals.push({ segment: reader.u32(), removal: readRemoval(reader) });
  }
  const discards: WrittenDiscard[] = [];
  for (let left = reader.varint(); left > 0 && !reader.failed; left -= 1) {
    discards.push({ segment: reader.u32(), discard: readDiscard(reader) });
  }
  const lostPartitions: PartitionId[] = [];
  for (let left = reader.varint(); left > 0 && !reader.failed; left -= 1) {
    lostPartitions.push(reader.u32());
  }
  return { removals, discards, lostPartitions };
}
