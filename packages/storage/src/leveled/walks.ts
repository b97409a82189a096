import {
  type PartitionId,
  type RangeDigest,
  type Token,
  classIn,
  compareTokens,
} from "@coterie/core";
import { dueEmpty, neverDue } from "../index/due.ts";
import type {
  Choice,
  ChoiceQuery,
  DigestQuery,
  EntryLike,
  ExpiredQuery,
  IndexEntry,
} from "../store.ts";
import type { Rows } from "./rows.ts";
import type { Summaries } from "./summaries.ts";
import type { Counted } from "./token-row.ts";

// What a store is asked of its entries, answered by a walk along the rows: in the order of tokens,
// page by page, and never between entries with one token.

interface Stretch {
  readonly partition: PartitionId;
  readonly after: Token | undefined;
  readonly limit: number;
}

/** Up to `limit` entries that are wanted, and some more of one token. */
export async function listEntries(
  rows: Rows,
  { partition, after, limit }: Stretch,
  isWanted: (counted: Counted) => boolean,
): Promise<readonly IndexEntry[]> {
  const entries: IndexEntry[] = [];
  if (limit < 1) return entries;
  const visit = ({ token, counted }: { token: Token; counted: readonly Counted[] }): boolean => {
    if (entries.length >= limit) return false;
    for (const each of counted) {
      if (isWanted(each)) entries.push({ token, digest: each.digest, bytes: each.bytes });
    }
    return true;
  };
  await rows.walk({ partition, after, until: undefined }, visit, limit + 1);
  return entries;
}

export async function digestOf(
  rows: Rows,
  { partition, above, range: { from, until } }: DigestQuery,
): Promise<RangeDigest> {
  let high = 0;
  let low = 0;
  let count = 0;
  await rows.walk({ partition, after: tokenBefore(from), until }, ({ counted }) => {
    for (const { digest } of counted) {
      if (classIn(digest.low) <= above) continue;
      high ^= digest.high;
      low ^= digest.low;
      count += 1;
    }
    return true;
  });
  return { high: high >>> 0, low: low >>> 0, count };
}

export async function chooseTokens(rows: Rows, query: ChoiceQuery): Promise<Choice> {
  const { partition, after, like, limit, entriesMax } = query;
  const tokens: Token[] = [];
  let entries = 0;
  let last: Token | undefined;
  const isOver = await rows.walk({ partition, after, until: undefined }, ({ token, counted }) => {
    if (entries >= entriesMax || tokens.length >= limit) return false;
    last = token;
    entries += counted.length;
    if (counted.some((each) => isLike(each, like))) tokens.push(token);
    return true;
  });
  return { tokens, last, isOver };
}

function isLike({ bytes, due }: Counted, like: EntryLike): boolean {
  if (like.kind === "larger") return bytes > like.bytes;
  return (due === dueEmpty) === (like.kind === "empty");
}

/** Tokens of what is due. Where nothing can be, nothing is looked at. */
export async function dueTokens(
  rows: Rows,
  summaries: Summaries,
  { partition, untilMs, after, limit }: ExpiredQuery,
): Promise<readonly Token[]> {
  const until = Math.floor(untilMs / 1000);
  const tokens: Token[] = [];
  if (summaries.firstDue(partition) > until) return tokens;
  if (after === undefined) summaries.beginLook(partition);
  let firstDue = Infinity;
  const isOver = await rows.walk({ partition, after, until: undefined }, ({ token, counted }) => {
    if (tokens.length >= limit) return false;
    for (const { due } of counted) {
      if (due === neverDue || due === dueEmpty) continue;
      if (due < firstDue) firstDue = due;
      const last = tokens.at(-1);
      const isNoted = last !== undefined && compareTokens(last, token) === 0;
      if (due <= until && !isNoted) tokens.push(token);
    }
    return true;
  });
  if (isOver && after === undefined) summaries.endLook(partition, firstDue);
  return tokens;
}

/** `undefined`: before the first of all. */
function tokenBefore({ high, low }: Token): Token | undefined {
  if (low > 0) return { high, low: low - 1 };
  return high > 0 ? { high: high - 1, low: 0xffff_ffff } : undefined;
}
