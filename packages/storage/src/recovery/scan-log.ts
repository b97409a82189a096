import type { Disk, DiskFailure, DiskOutcome } from "@coterie/ports";
import * as io from "../disk-promises.ts";
import { type Entry, segmentHeaderBytes, segmentName } from "../log/format.ts";
import { type SegmentScan, scanSegment } from "./scan-segment.ts";

export interface LogScanParts {
  /** Where to begin in the first segment of all. */
  readonly firstSegment: number;
  readonly firstOffset: number;
  /** Called with each sound entry, in order. */
  readonly visit: (segment: number, entry: Entry, offset: number) => void;
  /** A segment's end is damaged: nothing before it was the last that was done. */
  readonly onDamagedEnd: () => void;
  /** Called with the bytes that each segment has. */
  readonly onEnd: (segment: number, bytes: number) => void;
}

export interface LogScan {
  readonly ok: true;
  /** The next group's sequence number; 0 if there is no group. */
  readonly sequence: number;
  readonly bytesCut: number;
  /** Something was damaged that nobody can name. */
  readonly hasRotted: boolean;
}

/** Reads normal segments in the order of the log, and cuts what was torn or never used. */
export async function scanInOrder(
  disk: Disk,
  segments: readonly number[],
  parts: LogScanParts,
): Promise<LogScan | DiskFailure> {
  let sequence = 0;
  let bytesCut = 0;
  let hasRotted = false;
  for (const [at, segment] of segments.entries()) {
    const from = segment === parts.firstSegment ? parts.firstOffset : segmentHeaderBytes;
    const scan = await scanSegment(disk, segment, from, (entry, offset) =>
      parts.visit(segment, entry, offset),
    );
    if (!scan.ok) return scan;
    sequence = Math.max(sequence, scan.sequence + 1);
    parts.onEnd(segment, scan.end);
    if (scan.damagedStretches > 0 || scan.isUnreadable) hasRotted = true;
    const ended = await endSegment(disk, segment, scan, segments.slice(at + 1), parts);
    if (!ended.ok) return ended;
    if (ended.value === "rot") hasRotted = true;
    else bytesCut += ended.value;
  }
  return { ok: true, sequence, bytesCut, hasRotted };
}

/**
 * A damaged end is rot if the log went on in a later segment, and torn if it did not: then it is
 * cut. Says how many bytes were.
 */
async function endSegment(
  disk: Disk,
  segment: number,
  scan: SegmentScan,
  later: readonly number[],
  { visit, onDamagedEnd, onEnd }: LogScanParts,
): Promise<DiskOutcome<number | "rot">> {
  if (scan.damagedTailBytes > 0) {
    onDamagedEnd();
    if (await anyGroup(disk, later)) {
      for (const { entry, offset } of scan.tailEntries) visit(segment, entry, offset);
      onEnd(segment, scan.size);
      return { ok: true, value: "rot" };
    }
  }
  const value = scan.damagedTailBytes;
  if (scan.size <= scan.end) return { ok: true, value };
  const cut = await cutSegment(disk, segment, scan.end);
  return cut.ok ? { ok: true, value } : cut;
}

async function anyGroup(disk: Disk, segments: readonly number[]): Promise<boolean> {
  for (const segment of segments) {
    const scan = await scanSegment(disk, segment, segmentHeaderBytes, () => undefined);
    if (scan.ok && scan.sequence >= 0) return true;
  }
  return false;
}

async function cutSegment(disk: Disk, segment: number, end: number): Promise<DiskOutcome> {
  const opened = await io.open(disk, segmentName(segment), "existing");
  if (!opened.ok) return opened;
  const cut = await io.truncate(disk, opened.value, end);
  const synced = cut.ok ? await io.sync(disk, opened.value) : cut;
  await io.close(disk, opened.value);
  return synced;
}
