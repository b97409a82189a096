import type { Digest } from "../bytes/digest.ts";

/** Bits of a digest's lower half that say the class: enough for n from 1 to 64. */
const classBits = 63;

/**
 * The digest with its record's class, the bucket's n, in the lowest 6 bits. Two replicas of a
 * partition share only the keys of buckets with enough copies, so trees are per (partition, n);
 * and a bucket's n never changes, so all replicas compute the same. 58 bits tell copies apart.
 */
export function withClass({ high, low }: Digest, n: number): Digest {
  return { high, low: ((low & ~classBits) | (n & classBits)) >>> 0 };
}

/** The class in a digest, 1 to 64, given its lower half. */
export function classIn(low: number): number {
  return ((low - 1) & classBits) + 1;
}
