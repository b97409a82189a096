import type { Digest } from "../bytes/digest.ts";

/**
 * What the entries of a range come to: the XOR of their digests, which no order changes, and how
 * many they are. A digest covers its record's key, so that equal ones do not cancel out.
 */
export interface RangeDigest extends Digest {
  readonly count: number;
}

export const emptyRange: RangeDigest = { high: 0, low: 0, count: 0 };

/** Of two ranges together that share no entry. */
export function joinRanges(left: RangeDigest, right: RangeDigest): RangeDigest {
  return {
    high: (left.high ^ right.high) >>> 0,
    low: (left.low ^ right.low) >>> 0,
    count: left.count + right.count,
  };
}

export function equalDigests(left: Digest, right: Digest): boolean {
  return left.high === right.high && left.low === right.low;
}
