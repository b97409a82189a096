export { loadBlob, saveBlob } from "./blob.ts";
export { BulkFile } from "./bulk-file.ts";
export { openStore } from "./open-store.ts";
export { PrefixedDisk } from "./prefixed-disk.ts";
export { fsyncBoundsMs } from "./store.ts";
export type {
  Choice,
  ChoiceQuery,
  DamagedToken,
  EntryLike,
  FindAllQuery,
  FindQuery,
  Held,
  IndexEntry,
  KnownDamage,
  OpenOutcome,
  PlacedEntry,
  PlacedKey,
  PlacedToken,
  ReadOutcome,
  RecordStore,
  RecordVersion,
  RecoveryReport,
  StoredRecord,
  StoreEvent,
  StoreOptions,
  StoreStatistics,
  Update,
  UpdateOutcome,
} from "./store.ts";
