import type { Housekeeping } from "../maintenance/housekeeping.ts";

/** What a store over an engine asks of its background work. */
export interface LeveledHousekeeping extends Housekeeping {
  /** Bytes that the engine has on the disk. */
  readonly engineBytes: number;
  /** What has gathered is more than memory is for: new changes wait. */
  readonly isBehind: boolean;
  /** Something is about to be appended. */
  noteAppended(): void;
}
