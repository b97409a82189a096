import type { SegmentUse } from "../index/record-index.ts";

/** Share of dead bytes from which a segment is worth rewriting. */
const deadShareMin = 0.5;
/** Segments rewritten by one compaction, at most. */
const victimsMax = 8;

/**
 * The sealed segments to compact next: the deadest first, as many as fit into one new segment.
 * Rewriting a segment that is half dead frees as much as it copies, so the log's size stays below
 * about twice its live bytes, and each byte is copied about once more.
 */
export function chooseVictims(
  uses: ReadonlyMap<number, SegmentUse>,
  isSealed: (segment: number) => boolean,
  segmentBytes: number,
): readonly number[] {
  const candidates = [...uses]
    .filter(([segment, { live, total }]) => {
      return isSealed(segment) && total > 0 && (total - live) / total >= deadShareMin;
    })
    .toSorted(([left, a], [right, b]) => a.live / a.total - b.live / b.total || left - right);
  const victims: number[] = [];
  let copied = 0;
  for (const [segment, { live }] of candidates) {
    if (victims.length >= victimsMax || copied + live > segmentBytes) break;
    victims.push(segment);
    copied += live;
  }
  return victims;
}
