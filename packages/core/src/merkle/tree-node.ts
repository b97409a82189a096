import { type PartitionId, type Token, partitionOf } from "../ring/token.ts";

/** Children of a node. */
const fanOut = 16;
/** Bits of a token that its upper half holds. */
const lowBits = 32;
const span = 0x1_0000_0000;

/**
 * A node of the tree over what two replicas share. Above, it is a stretch of the list of their
 * partitions; a stretch of one partition goes on in a stretch of its tokens. Both replicas derive
 * the same tree from the same table of owners, so that a node can be named by where it is.
 */
export interface TreeNode {
  /** The first partition, as its index in the list, and how many there are. */
  readonly first: number;
  readonly count: number;
  /** Tokens of the one partition; `undefined`: all. */
  readonly tokens: TokenStretch | undefined;
}

/** 2^bits tokens from this one on; at most to the end of their partition. */
export interface TokenStretch {
  readonly from: Token;
  readonly bits: number;
}

/** The tokens of one node, as an index is asked for them. */
export interface TokenSpan {
  readonly from: Token;
  /** `undefined`: to the end of the partition. */
  readonly until: Token | undefined;
}

/** The node over `count` partitions, all that two replicas share. */
export function rootNode(count: number): TreeNode {
  return { first: 0, count, tokens: undefined };
}

/** The node of one partition. */
export function partitionNode(index: number): TreeNode {
  return { first: index, count: 1, tokens: undefined };
}

/** True for a node that has no children: entries of one token are told apart by a list. */
export function isLeaf({ tokens }: TreeNode): boolean {
  return tokens?.bits === 0;
}

/**
 * The children of a node, at most {@link fanOut}, in order. `partitions`: Q; `partition`: that of
 * the node, if it is of one.
 */
export function childrenOf(
  node: TreeNode,
  partition: PartitionId,
  partitions: number,
): readonly TreeNode[] {
  const { first, count } = node;
  if (count === 1) return stretchesOf(node, partition, partitions);
  const children: TreeNode[] = [];
  for (let child = 0; child < fanOut; child += 1) {
    const from = Math.floor((count * child) / fanOut);
    const until = Math.floor((count * (child + 1)) / fanOut);
    if (until > from) {
      children.push({ first: first + from, count: until - from, tokens: undefined });
    }
  }
  return children;
}

function stretchesOf(
  { first, count, tokens }: TreeNode,
  partition: PartitionId,
  partitions: number,
): readonly TreeNode[] {
  const { from, bits } = tokens ?? wholeStretch(partition, partitions);
  const end = startOf(partition + 1, partitions);
  const narrower = Math.max(0, bits - Math.log2(fanOut));
  const children: TreeNode[] = [];
  for (let child = 0; child < 2 ** (bits - narrower); child += 1) {
    const start = tokenAfter(from, child, narrower);
    if (start.high >= end) break;
    children.push({ first, count, tokens: { from: start, bits: narrower } });
  }
  return children;
}

/** The tokens of a node of one partition. */
export function spanOf(
  { tokens }: TreeNode,
  partition: PartitionId,
  partitions: number,
): TokenSpan | undefined {
  if (tokens === undefined) return undefined;
  const end = startOf(partition + 1, partitions);
  const until = tokenAfter(tokens.from, 1, tokens.bits);
  return { from: tokens.from, until: until.high >= end ? undefined : until };
}

/** True for nodes that {@link childrenOf} gives: others that name one are mistaken, or worse. */
export function isNodeOf(
  { first, count, tokens }: TreeNode,
  shared: readonly PartitionId[],
  partitions: number,
): boolean {
  if (count < 1 || first + count > shared.length) return false;
  if (tokens === undefined) return true;
  if (count !== 1 || tokens.bits > lowBits * 2) return false;
  return partitionOf(tokens.from, partitions) === shared[first];
}

function wholeStretch(partition: PartitionId, partitions: number): TokenStretch {
  const high = startOf(partition, partitions);
  const width = startOf(partition + 1, partitions) - high;
  return { from: { high, low: 0 }, bits: Math.ceil(Math.log2(width)) + lowBits };
}

/** The upper half of the first token of a partition; of one past the last: 2^32. */
function startOf(partition: PartitionId, partitions: number): number {
  return Math.ceil((partition * span) / partitions);
}

/** The token `steps` times 2^bits after `from`; sixteen steps of less than 2^32 carry up to 7. */
function tokenAfter({ high, low }: Token, steps: number, bits: number): Token {
  if (bits >= lowBits) return { high: high + steps * 2 ** (bits - lowBits), low };
  const sum = low + steps * 2 ** bits;
  return { high: high + Math.floor(sum / span), low: sum % span };
}
