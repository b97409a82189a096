import type { StoreStatistics } from "../store.ts";

/** What the store asks of its background work. */
export interface Housekeeping {
  readonly counters: Pick<
    StoreStatistics,
    "bytesCompacted" | "compactions" | "checkpoints" | "scrubbedBytes"
  >;
  readonly space: {
    /** Puts are refused: only the reserve is left. */
    readonly isLow: boolean;
    /** Looks for the reserve of an earlier start: a start on a full disk needs it. */
    find(): Promise<void>;
    /** The log found no space. True while the reserve is being released. */
    ranOut(): boolean;
    /** Releases the reserve for somebody else; false if there is none. */
    lend(): Promise<boolean>;
  };
  /** Begins the work that goes on by itself. */
  begin(): void;
  onDamage(): void;
  scrubAll(): Promise<void>;
  compactAll(): Promise<void>;
  /** Finishes what runs, and writes the checkpoint that the next start begins with. */
  stop(): Promise<void>;
}
