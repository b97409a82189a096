/**
 * Of one partition, two numbers that grow as its tombstones are reaped. A record that was read at a
 * member while it had raised f knows of every tombstone that was reaped under f or below: so a
 * replica that has reaped under f refuses whatever was read under less.
 */
export interface Fence {
  /** The highest number that this member has taken part in, durably; 0: none. */
  readonly raised: number;
  /** The highest number under which this member has reaped; never above `raised`. */
  readonly reaped: number;
}

/** Of a partition in which nothing was ever reaped. */
export const noFence: Fence = { raised: 0, reaped: 0 };
