import { type PartitionId, type Token, compareTokens } from "@coterie/core";
import type { IndexEntry } from "../store.ts";
import { dueEmpty } from "./due.ts";
import type { Location } from "./location.ts";
import type { RecordIndex } from "./record-index.ts";

export interface Stretch {
  readonly partition: PartitionId;
  /** In token order after it. */
  readonly after: Token | undefined;
  readonly limit: number;
}

/** Up to `limit` entries, and some more of one token: the next stretch begins after it. */
export function listEntries(
  index: RecordIndex,
  { partition, after, limit, skipsEmpty }: Stretch & { readonly skipsEmpty: boolean },
): readonly IndexEntry[] {
  const entries: IndexEntry[] = [];
  if (limit < 1) return entries;
  for (const { token, location } of index.entriesAfter(partition, after)) {
    if (skipsEmpty && location.due === dueEmpty) continue;
    const last = entries.at(-1)?.token;
    const isSame = last !== undefined && compareTokens(last, token) === 0;
    if (entries.length >= limit && !isSame) break;
    entries.push({ token, digest: location.digest, bytes: location.length });
  }
  return entries;
}

/** Exactly the first `limit` entries that are wanted. */
export function firstEntries(
  index: RecordIndex,
  { partition, after, limit }: Stretch,
  isWanted: (location: Location) => boolean,
): readonly IndexEntry[] {
  const entries: IndexEntry[] = [];
  for (const { token, location } of index.entriesAfter(partition, after)) {
    if (entries.length >= limit) break;
    if (!isWanted(location)) continue;
    entries.push({ token, digest: location.digest, bytes: location.length });
  }
  return entries;
}
