import type { RecordCache, StoredRecord } from "@coterie/storage";
import { LRUCache } from "lru-cache";

/** What an entry costs beside its bytes: the decoded record, the map's own nodes. */
const overheadBytes = 400;

/** Recently used records, bounded by their bytes. */
export function bytesCache(bytesMax: number): RecordCache {
  const cache = new LRUCache<number, StoredRecord>({
    maxSize: Math.max(1, bytesMax),
    maxEntrySize: Math.max(1, Math.floor(bytesMax / 16)),
    sizeCalculation: ({ bytes }) => bytes.length + overheadBytes,
  });
  return {
    get: (place) => cache.get(place),
    set: (place, stored) => {
      cache.set(place, stored);
    },
  };
}
