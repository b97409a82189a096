import type { Disk, DiskFailure } from "@coterie/ports";
import * as io from "../disk-promises.ts";
import {
  type Entry,
  type SegmentHeader,
  decodeEntry,
  decodeGroupHeader,
  decodeSegmentHeader,
  entryLengthAt,
  groupHeaderBytes,
  segmentHeaderBytes,
  segmentName,
} from "../log/format.ts";

export interface SegmentScan {
  readonly ok: true;
  /** `undefined` when not even the header can be read. */
  readonly header: SegmentHeader | undefined;
  /** End of the last group that is there; the rest is zeros, or a torn write. */
  readonly end: number;
  /** Bytes after `end` that are not zeros. */
  readonly tornBytes: number;
  /** The highest group sequence found; −1 for none. */
  readonly sequence: number;
  /** Damaged stretches that a later group of this segment follows: not torn, but rot. */
  readonly damagedStretches: number;
  /** True if the last thing in the segment is damaged: rot too, if a later segment goes on. */
  readonly endsDamaged: boolean;
}

export type Visit = (entry: Entry, offset: number) => void;

/**
 * Reads a segment whole and hands out every sound entry from `from` on. What is damaged is stepped
 * over: by its own length if that is plausible, else to the next group.
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
  await io.close(disk, opened.value);
  if (!content.ok) return content;
  return new SegmentScanner(content.value, visit).scan(Math.max(from, segmentHeaderBytes));
}

class SegmentScanner {
  readonly #bytes: Uint8Array;
  readonly #visit: Visit;
  #end = segmentHeaderBytes;
  #sequence = -1;
  #damaged = 0;
  /** A stretch that is rot if anything sound follows, and torn if not. */
  #isPendingDamage = false;

  constructor(bytes: Uint8Array, visit: Visit) {
    this.#bytes = bytes;
    this.#visit = visit;
  }

  scan(from: number): SegmentScan {
    const header = decodeSegmentHeader(this.#bytes);
    // What a checkpoint covers was whole when the checkpoint was written.
    this.#end = from;
    let at = from;
    while (at + groupHeaderBytes <= this.#bytes.length) {
      const group = decodeGroupHeader(this.#bytes, at);
      const isNext = group !== undefined && group.sequence > this.#sequence;
      if (!isNext) {
        const next = this.#findGroup(at);
        if (next === undefined) break;
        this.#isPendingDamage = true;
        at = next;
        continue;
      }
      if (this.#isPendingDamage) this.#damaged += 1;
      this.#isPendingDamage = false;
      this.#sequence = group.sequence;
      const end = at + groupHeaderBytes + group.length;
      this.#scanGroup(at + groupHeaderBytes, Math.min(end, this.#bytes.length));
      if (end > this.#bytes.length) this.#isPendingDamage = true;
      at = end;
      if (!this.#isPendingDamage) this.#end = end;
    }
    const tornBytes = this.#nonZeroAfter(this.#end);
    return {
      ok: true,
      header,
      end: this.#end,
      tornBytes,
      sequence: this.#sequence,
      damagedStretches: this.#damaged,
      endsDamaged: this.#isPendingDamage || tornBytes > 0,
    };
  }

  #scanGroup(start: number, end: number): void {
    let at = start;
    while (at < end) {
      const entry = decodeEntry(this.#bytes, at, end);
      if (entry !== undefined) {
        this.#visit(entry, at);
        at += entry.length;
        continue;
      }
      this.#isPendingDamage = true;
      const length = entryLengthAt(this.#bytes, at, end);
      if (length === undefined) return;
      at += length;
    }
  }

  /** The next whole group header with a higher sequence, after `at`. */
  #findGroup(at: number): number | undefined {
    const bytes = this.#bytes;
    for (let from = at + 1; ; from += 1) {
      // The first byte of the magic, "G".
      from = bytes.indexOf(0x47, from);
      if (from < 0) return undefined;
      const group = decodeGroupHeader(bytes, from);
      if (group !== undefined && group.sequence > this.#sequence) return from;
    }
  }

  #nonZeroAfter(start: number): number {
    for (let at = this.#bytes.length - 1; at >= start; at -= 1) {
      if (this.#bytes[at] !== 0) return at + 1 - start;
    }
    return 0;
  }
}
