import { type Key, encodeRecord, mergeRecords } from "@coterie/core";
import type { Held, StoredRecord } from "@coterie/storage";

/**
 * What to hold after merging, or `undefined` when `incoming` adds nothing. Two records within the
 * size limit may merge to one beyond it: acknowledged siblings are never dropped, so the limit
 * stops new puts (`applyPut`) and not what replicas must agree on.
 */
export function mergeHeld(key: Key, held: Held, incoming: StoredRecord): StoredRecord | undefined {
  if (held.state !== "present") return incoming;
  const { record } = held.stored;
  const isNewer = record.clock.merge(incoming.record.clock) !== record.clock;
  // Who has seen more adds something in any case: that is known before anything else is merged.
  if (!isNewer && mergeRecords(record, incoming.record) === record) return undefined;
  // Usually the newer record covers the older one: then its bytes are stored as they came.
  if (mergeRecords(incoming.record, record) === incoming.record) return incoming;
  const merged = mergeRecords(record, incoming.record);
  return { record: merged, bytes: encodeRecord(key, merged) };
}
