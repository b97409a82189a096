import type { Clock } from "@coterie/ports";
import { type LiveEntry, LiveRows } from "../index/live-rows.ts";
import type { RecordIndex } from "../index/record-index.ts";
import { type Entry, decodeEntry, isRecordKind } from "../log/format.ts";
import type { SegmentFiles } from "../log/segment-files.ts";

/** Bytes read at once: others get a turn after it. */
const sliceBytes = 256 * 1024;
/** Slots of the index looked at before others get a turn. */
const slotsPerTurn = 20_000;

export interface LiveParts {
  readonly index: RecordIndex;
  readonly files: SegmentFiles;
  readonly clock: Clock;
}

/** Gathers what the index says is in some segments, without holding anyone up for long. */
export async function collectLive(
  { index, clock }: LiveParts,
  segments: ReadonlySet<number>,
): Promise<LiveRows> {
  const rows = new LiveRows();
  const isWanted = (segment: number): boolean => segments.has(segment);
  let slots = 0;
  for (let partition = 0; partition < index.partitions; partition += 1) {
    slots += index.collect(partition, isWanted, rows);
    if (slots < slotsPerTurn) continue;
    slots = 0;
    await new Promise<void>((resolve) => clock.afterTurn(resolve));
  }
  return rows;
}

/** Entries that lie close together in one segment: read in one go. */
export interface LiveSlice {
  readonly segment: number;
  readonly entries: readonly LiveEntry[];
  readonly start: number;
  readonly end: number;
}

/** Cuts the live entries of a segment, in its order, into slices. */
export function* slicesOf(rows: LiveRows, segment: number): Generator<LiveSlice> {
  let entries: LiveEntry[] = [];
  let start = 0;
  let end = 0;
  for (const entry of rows.inOrder(segment)) {
    const { offset, length } = entry.location;
    if (entries.length > 0 && offset + length - start > sliceBytes) {
      yield { segment, entries, start, end };
      entries = [];
    }
    if (entries.length === 0) start = offset;
    entries.push(entry);
    end = offset + length;
  }
  if (entries.length > 0) yield { segment, entries, start, end };
}

/** An entry of a slice, `undefined` where it is damaged. */
export type VisitLive = (live: LiveEntry, entry: Entry | undefined) => void;

/** Reads a slice and hands out its entries, checked. Returns the bytes read. */
export async function readSlice(
  { files }: LiveParts,
  slice: LiveSlice,
  visit: VisitLive,
): Promise<number> {
  const { segment, start, end } = slice;
  const content = await files.load(segment, start, end - start);
  for (const live of slice.entries) {
    const { offset, length } = live.location;
    // One bad place of the disk must not damn its neighbours.
    const own = content.ok ? content : await files.load(segment, offset, length);
    const at = content.ok ? offset - start : 0;
    visit(live, own.ok ? decodeLive(own.value, at, length) : undefined);
  }
  return end - start;
}

function decodeLive(bytes: Uint8Array, at: number, length: number): Entry | undefined {
  const entry = decodeEntry(bytes, at, Math.min(bytes.length, at + length));
  return entry?.length === length && isRecordKind(entry.kind) ? entry : undefined;
}
