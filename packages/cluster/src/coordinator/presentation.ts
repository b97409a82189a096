import {
  type BucketSettings,
  type CausalRecord,
  type ContextSeal,
  type Key,
  type Sibling,
  contextAfterPut,
  encodeContext,
  latestSibling,
} from "@coterie/core";
import type { WrittenRecord } from "./write.ts";

/** What a client of `bucket` sees of a record: all siblings, or in an `lww` bucket the latest. */
export function shownSiblings(bucket: BucketSettings, record: CausalRecord): readonly Sibling[] {
  if (bucket.policy !== "lww") return record.siblings;
  const latest = latestSibling(record.siblings);
  return latest === undefined ? [] : [latest];
}

/**
 * The context that a write returns: none while siblings remain that the client has not read. A
 * tombstone has none, and its context lets the key be created anew without a conflict.
 */
export function contextAfterWrite(
  key: Key,
  { record, dot, writeId }: WrittenRecord,
  contextSeal: ContextSeal,
): string | undefined {
  const context = contextAfterPut(record, { dot, writeId });
  return context === undefined ? undefined : encodeContext(context, key, contextSeal);
}
