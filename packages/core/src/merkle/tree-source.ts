import type { Digest } from "../bytes/digest.ts";
import { invariant } from "../invariant.ts";
import type { PartitionId, Token } from "../ring/token.ts";
import { type RangeDigest, emptyRange, joinRanges } from "./range-digest.ts";
import { type TokenSpan, type TreeNode, childrenOf, spanOf } from "./tree-node.ts";

/** An entry as replicas tell it to each other. */
export interface TreeEntry {
  readonly token: Token;
  readonly digest: Digest;
}

/** What one replica holds of what it shares with another one. */
export interface TreeSource {
  /** Q. */
  readonly partitions: number;
  /** The partitions that both own, in ascending order. */
  readonly shared: readonly PartitionId[];
  /** What the entries of a whole partition come to, at once. */
  root(partition: PartitionId): RangeDigest;
  /** What those of a span come to, in one pass over it. */
  digest(partition: PartitionId, span: TokenSpan): InTurns<RangeDigest>;
  /** Entries of a span in the order of their tokens, up to `limit` and some more of one token. */
  entries(
    partition: PartitionId,
    span: TokenSpan | undefined,
    page: EntryPage,
  ): InTurns<readonly TreeEntry[]>;
}

export interface EntryPage {
  readonly after: Token | undefined;
  readonly limit: number;
}

/** Entries that are looked at before others get a turn: some hundred microseconds. */
const entriesPerTurn = 65_536;

/** Work that lets others have a turn at each `yield`, or waits for what it yields. */
export type InTurns<Result> = Generator<Promise<void> | undefined, Result, undefined>;

/** Work that waits for what a promise brings. */
export function* waitFor<Result>(promise: Promise<Result>): InTurns<Result> {
  const results: Result[] = [];
  yield promise.then((result) => {
    results.push(result);
  });
  invariant(results.length === 1, "work goes on when what it waits for is there");
  return results[0] as Result;
}

/** What the entries of a node come to. */
export function* digestOf(source: TreeSource, node: TreeNode): InTurns<RangeDigest> {
  if (node.count === 1) {
    const partition = source.shared[node.first] as PartitionId;
    const span = spanOf(node, partition, source.partitions);
    return span === undefined ? source.root(partition) : yield* source.digest(partition, span);
  }
  let sum = emptyRange;
  for (let at = node.first; at < node.first + node.count; at += 1) {
    sum = joinRanges(sum, source.root(source.shared[at] as PartitionId));
    if ((at - node.first) % entriesPerTurn === entriesPerTurn - 1) yield;
  }
  return sum;
}

/** The children of a node with what they come to, in order. */
export function* childDigests(
  source: TreeSource,
  node: TreeNode,
): InTurns<readonly { readonly node: TreeNode; readonly digest: RangeDigest }[]> {
  const children: { readonly node: TreeNode; readonly digest: RangeDigest }[] = [];
  let seen = 0;
  for (const child of childNodes(source, node)) {
    const digest = yield* digestOf(source, child);
    children.push({ node: child, digest });
    seen += digest.count;
    if (seen < entriesPerTurn) continue;
    seen = 0;
    yield;
  }
  return children;
}

/** The children of a node. */
export function childNodes(source: TreeSource, node: TreeNode): readonly TreeNode[] {
  return childrenOf(node, source.shared[node.first] as PartitionId, source.partitions);
}

const allEntries: EntryPage = { after: undefined, limit: Number.POSITIVE_INFINITY };

/** The entries of a node of one partition. */
export function entriesOf(
  source: TreeSource,
  node: TreeNode,
  page: EntryPage = allEntries,
): InTurns<readonly TreeEntry[]> {
  const partition = source.shared[node.first] as PartitionId;
  return source.entries(partition, spanOf(node, partition, source.partitions), page);
}
