export type { Cancel, Clock, MonotonicMs, WallMs } from "./clock.ts";
export type { Disk, DiskError, DiskFailure, DiskOutcome, File, Settle } from "./disk.ts";
export type { Network, NoReply, Receive, Reply } from "./network.ts";
export type { Random } from "./random.ts";
export type {
  EngineChange,
  EngineError,
  EngineFailure,
  EngineOutcome,
  EngineRange,
  EngineRow,
  EngineSettle,
  KeyValueEngine,
} from "./key-value-engine.ts";
