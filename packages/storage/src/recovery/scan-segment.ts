import { equalBytes } from "@coterie/core";
import type { Disk, DiskFailure, DiskOutcome, File } from "@coterie/ports";
import * as io from "../disk-promises.ts";
import {
  type DecodedSegmentHeader,
  type Entry,
  type GroupHeader,
  type SegmentKind,
  decodeEntry,
  decodeGroupHeader,
  decodeSegmentHeader,
  entryLengthAt,
  groupHeaderBytes,
  segmentHeaderBytes,
  segmentName,
} from "../log/format.ts";

export interface ScannedEntry {
  readonly entry: Entry;
  readonly offset: number;
}

export interface SegmentScan {
  readonly ok: true;
  readonly header: DecodedSegmentHeader;
  /** Bytes of the file. */
  readonly size: number;
  /** End of the last whole group; the rest is zeros, or damaged. */
  readonly end: number;
  /** Bytes after `end` that are not zeros. */
  readonly damagedTailBytes: number;
  /** Sound entries of a damaged group at the end. If it was torn, nobody was promised them. */
  readonly tailEntries: readonly ScannedEntry[];
  /** The highest group sequence found; −1 for none. */
  readonly sequence: number;
  /** Damaged stretches that a later group of this segment follows: not torn, but rot. */
  readonly damagedStretches: number;
  /** True if the disk could not read some of it. */
  readonly isUnreadable: boolean;
}

/** What a disk that fails to read a segment is asked for at once, so that one bad place is one. */
const pieceBytes = 4096;

export type Visit = (entry: Entry, offset: number) => void;

/**
 * Reads a segment whole and hands out the sound entries from `from` on, in order: those of whole
 * groups, and of damaged ones that a later group follows.
 */
export async function scanSegment(
  disk: Disk,
  segment: number,
  from: number,
  visit: Visit,
): Promise<SegmentScan | DiskFailure> {
  const opened = await io.open(disk, segmentName(segment), "existing");
  if (!opened.ok) return opened;
  const size = await io.size(disk, opened.value);
  const content = size.ok ? await io.read(disk, opened.value, 0, size.value) : size;
  const pieces =
    size.ok && !content.ok ? await readPieces(disk, opened.value, size.value) : content;
  await io.close(disk, opened.value);
  if (!pieces.ok) return pieces;
  return { ...scanBytes(pieces.value, from, visit), isUnreadable: !content.ok };
}

/** {@link scanSegment}, of bytes that were read. */
export function scanBytes(
  bytes: Uint8Array,
  from: number,
  visit: Visit,
): Omit<SegmentScan, "isUnreadable"> {
  return new SegmentScanner(bytes, visit).scan(Math.max(from, segmentHeaderBytes));
}

/** Reads piece by piece; what cannot be read is filled with what no entry consists of. */
async function readPieces(disk: Disk, file: File, size: number): Promise<DiskOutcome<Uint8Array>> {
  const bytes = new Uint8Array(size).fill(0xff);
  for (let at = 0; at < size; at += pieceBytes) {
    const piece = await io.read(disk, file, at, Math.min(pieceBytes, size - at));
    if (piece.ok) bytes.set(piece.value, at);
  }
  return { ok: true, value: bytes };
}

class SegmentScanner {
  readonly #bytes: Uint8Array;
  readonly #visit: Visit;
  readonly #header: DecodedSegmentHeader;
  readonly #kind: SegmentKind;
  readonly #salt: Uint8Array | undefined;
  #end: number = segmentHeaderBytes;
  #sequence = -1;
  #damaged = 0;
  /** Whether the last thing seen is damaged: rot if a group follows, and perhaps torn if not. */
  #isPending = false;
  #pendingEntries: ScannedEntry[] = [];

  constructor(bytes: Uint8Array, visit: Visit) {
    this.#bytes = bytes;
    this.#visit = visit;
    this.#header = decodeSegmentHeader(bytes);
    const header = typeof this.#header === "object" ? this.#header : undefined;
    this.#kind = header?.kind ?? "normal";
    // The first group's place is never a client's to choose, so its salt is as good.
    this.#salt = header?.salt ?? decodeGroupHeader(bytes, segmentHeaderBytes)?.salt;
  }

  scan(from: number): Omit<SegmentScan, "isUnreadable"> {
    // What a checkpoint covers was whole when the checkpoint was written.
    this.#end = from;
    let at = from;
    while (at + groupHeaderBytes <= this.#bytes.length) {
      const group = this.#groupAt(at);
      if (group !== undefined) at = this.#scanGroup(at, group);
      else {
        const next = this.#findGroup(at);
        if (next === undefined) break;
        this.#isPending = true;
        at = next;
      }
    }
    return {
      ok: true,
      header: this.#header,
      size: this.#bytes.length,
      end: this.#end,
      damagedTailBytes: this.#nonZeroAfter(this.#end),
      tailEntries: this.#pendingEntries,
      sequence: this.#sequence,
      damagedStretches: this.#damaged,
    };
  }

  /** Scans the group at `at`, which proves that what came before it had been synced. */
  #scanGroup(at: number, group: GroupHeader): number {
    if (this.#isPending) {
      this.#damaged += 1;
      for (const { entry, offset } of this.#pendingEntries) this.#visit(entry, offset);
    }
    this.#sequence = group.sequence;
    const end = at + groupHeaderBytes + group.length;
    const { entries, isWhole } = this.#entriesOf(at + groupHeaderBytes, end, group.firstLsn);
    this.#isPending = !isWhole;
    this.#pendingEntries = isWhole ? [] : entries;
    if (isWhole) {
      this.#end = end;
      for (const { entry, offset } of entries) this.#visit(entry, offset);
    }
    return end;
  }

  /**
   * A damaged entry is stepped over by its own length. Since that may be what is damaged, what
   * comes after it must have the lsn due there; a compacted segment's entries have no such order.
   */
  #entriesOf(
    start: number,
    groupEnd: number,
    firstLsn: number,
  ): { readonly entries: ScannedEntry[]; readonly isWhole: boolean } {
    const end = Math.min(groupEnd, this.#bytes.length);
    const entries: ScannedEntry[] = [];
    let isWhole = groupEnd <= this.#bytes.length;
    let ordinal = 0;
    for (let at = start; at < end; ordinal += 1) {
      const entry = decodeEntry(this.#bytes, at, end);
      const isDue = isWhole || entry?.lsn === firstLsn + ordinal;
      if (entry !== undefined && isDue) entries.push({ entry, offset: at });
      else isWhole = false;
      const length = entry?.length ?? entryLengthAt(this.#bytes, at, end);
      if (length === undefined || (!isWhole && this.#kind === "compacted")) break;
      at += length;
    }
    return { entries, isWhole };
  }

  #groupAt(at: number): GroupHeader | undefined {
    const group = decodeGroupHeader(this.#bytes, at);
    if (group === undefined || this.#salt === undefined) return undefined;
    const isOurs = equalBytes(group.salt, this.#salt) && group.sequence > this.#sequence;
    return isOurs ? group : undefined;
  }

  #findGroup(at: number): number | undefined {
    for (let from = at + 1; ; from += 1) {
      // The first byte of the magic, "G".
      from = this.#bytes.indexOf(0x47, from);
      if (from < 0) return undefined;
      if (this.#groupAt(from) !== undefined) return from;
    }
  }

  #nonZeroAfter(start: number): number {
    for (let at = this.#bytes.length - 1; at >= start; at -= 1) {
      if (this.#bytes[at] !== 0) return at + 1 - start;
    }
    return 0;
  }
}
