import { type Token, compareTokens } from "../ring/token.ts";
import { equalDigests } from "./range-digest.ts";
import type { TreeEntry } from "./tree-source.ts";

/** A token under which two lists do not have the same digests. */
export interface TokenDifference<Entry extends TreeEntry> {
  readonly token: Token;
  /** The first entry under it in the one and in the other. */
  readonly own: Entry | undefined;
  readonly their: Entry | undefined;
}

/** Tokens under which not the same digests are listed; both lists are in the order of tokens. */
export function differingTokens<Entry extends TreeEntry>(
  ours: readonly Entry[],
  theirs: readonly Entry[],
): readonly TokenDifference<Entry>[] {
  const differing: TokenDifference<Entry>[] = [];
  let ownAt = 0;
  let theirAt = 0;
  while (ownAt < ours.length || theirAt < theirs.length) {
    const token = lower(ours[ownAt], theirs[theirAt]);
    const ownEnd = endOf(ours, ownAt, token);
    const theirEnd = endOf(theirs, theirAt, token);
    const isSided = ownEnd === ownAt || theirEnd === theirAt;
    if (isSided || !areEqual(ours.slice(ownAt, ownEnd), theirs.slice(theirAt, theirEnd))) {
      const own = ownEnd > ownAt ? ours[ownAt] : undefined;
      differing.push({ token, own, their: theirEnd > theirAt ? theirs[theirAt] : undefined });
    }
    ownAt = ownEnd;
    theirAt = theirEnd;
  }
  return differing;
}

function lower(own: TreeEntry | undefined, their: TreeEntry | undefined): Token {
  if (own === undefined) return (their as TreeEntry).token;
  if (their === undefined) return own.token;
  return compareTokens(own.token, their.token) <= 0 ? own.token : their.token;
}

/** Where the entries end that begin at `from` and have this token. */
function endOf(entries: readonly TreeEntry[], from: number, token: Token): number {
  let end = from;
  for (; end < entries.length; end += 1) {
    if (compareTokens((entries[end] as TreeEntry).token, token) !== 0) break;
  }
  return end;
}

/** Entries with one token are in no order. */
function areEqual(ours: readonly TreeEntry[], theirs: readonly TreeEntry[]): boolean {
  if (ours.length !== theirs.length) return false;
  const left = [...theirs];
  return ours.every(({ digest }) => {
    const at = left.findIndex((each) => equalDigests(each.digest, digest));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}
