import type { Digest } from "@coterie/core";

/** Where a record is, and what it is. */
export interface Location {
  readonly segment: number;
  readonly offset: number;
  /** Bytes of the whole log entry. */
  readonly length: number;
  readonly digest: Digest;
}
