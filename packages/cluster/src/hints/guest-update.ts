import type { Held, RecordStore, StoredRecord } from "@coterie/storage";

/**
 * Whether a hint is durable here. `hints-full`: the budget is spent, which another fallback's may
 * not be. Nothing was stored unless `ok`, but for `internal`: then nobody knows.
 */
export type HoldOutcome =
  | { readonly ok: true; readonly changed: boolean }
  | {
      readonly ok: false;
      readonly code: "hints-full" | "disk-full" | "overloaded" | "shutting-down" | "internal";
    };

/** Mints dots under the actor in force. */
export type Minter = Pick<RecordStore, "actor" | "mint">;

/** A write that this node coordinates in place of a target that is out of reach. */
export interface GuestUpdate {
  /** Bytes that it may add to what is held. */
  readonly bytes: number;
  /**
   * Given all that is held of the key, for whichever target, returns what to hold, or `undefined`
   * to leave it. `minter` mints under the guest actor, and within this call only. Called at most
   * once; what it returns is appended in the same turn.
   */
  readonly apply: (held: Held, minter: Minter) => StoredRecord | undefined;
  /** Called once: with `ok` when what is held is durable. */
  readonly settle: (outcome: HoldOutcome) => void;
}
