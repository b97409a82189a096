import type { Digest } from "@coterie/core";

/** Where an entry of the log begins. */
export interface Place {
  readonly segment: number;
  readonly offset: number;
}

/** Where a record is, and what it is. */
export interface Location extends Place {
  /** Bytes of the whole log entry. */
  readonly length: number;
  readonly digest: Digest;
  /** When the first of its values expires, as `due.ts` has it; 0 if none does. */
  readonly due: number;
  /** Its clock is to be cut once all owners agree, see core's `isWide`. */
  readonly isWide: boolean;
}
