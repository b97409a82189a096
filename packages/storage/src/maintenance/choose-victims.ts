import type { SegmentUse } from "../index/record-index.ts";

/** Share of dead bytes from which a segment is worth rewriting. */
const deadShareMin = 0.5;
/**
 * The least gain, in bytes, and as a share of a segment where segments are small. A copy has
 * headers of its own: beside them a tiny record is always mostly dead, and would be copied for
 * ever.
 */
const deadBytesMin = 4096;
const deadBytesMinShare = 1 / 16;
/** Segments rewritten by one compaction, at most. */
const victimsMax = 8;
/** A segment this much smaller than the usual one is small; that many of them become one. */
const smallShare = 1 / 8;

/**
 * The sealed segments to compact next, at most as many as fit into one new segment: the deadest
 * first, or, if none is dead enough, small ones that many starts have left behind. Rewriting a
 * segment that is half dead frees as much as it copies, so the log's size stays below about twice
 * its live bytes, and each byte is copied about once more.
 */
export function chooseVictims(
  uses: ReadonlyMap<number, SegmentUse>,
  isCandidate: (segment: number) => boolean,
  segmentBytes: number,
): readonly number[] {
  const candidates = [...uses].filter(([segment, { total }]) => isCandidate(segment) && total > 0);
  const gainMin = Math.min(deadBytesMin, segmentBytes * deadBytesMinShare);
  const dead = candidates
    .filter(([, { live, total }]) => {
      const gain = total - live;
      return live === 0 || (gain >= gainMin && gain / total >= deadShareMin);
    })
    .toSorted(([left, a], [right, b]) => a.live / a.total - b.live / b.total || left - right);
  const victims = upTo(dead, segmentBytes);
  if (victims.length > 0) return victims;
  const small = candidates.filter(([, { total }]) => total <= segmentBytes * smallShare);
  return small.length < victimsMax ? [] : upTo(small, segmentBytes);
}

/**
 * The oldest segments, dead or not, unless the very oldest cannot be compacted: once they are gone,
 * what was removed from them need not be remembered any longer.
 */
export function chooseOldest(
  uses: ReadonlyMap<number, SegmentUse>,
  isCandidate: (segment: number) => boolean,
  segmentBytes: number,
): readonly number[] {
  const ordered = [...uses].toSorted(([left], [right]) => left - right);
  const blocked = ordered.findIndex(([segment]) => !isCandidate(segment));
  return upTo(blocked < 0 ? ordered : ordered.slice(0, blocked), segmentBytes);
}

function upTo(
  segments: readonly (readonly [number, SegmentUse])[],
  bytesMax: number,
): readonly number[] {
  const chosen: number[] = [];
  let bytes = 0;
  for (const [segment, { live }] of segments) {
    // A segment that one huge record fills goes alone.
    if (chosen.length >= victimsMax || (bytes + live > bytesMax && chosen.length > 0)) break;
    chosen.push(segment);
    bytes += live;
  }
  return chosen;
}
