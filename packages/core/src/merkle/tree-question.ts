import type { Digest } from "../bytes/digest.ts";
import { equalDigests } from "./range-digest.ts";
import { type TreeNode, isLeaf, isNodeOf } from "./tree-node.ts";
import {
  type InTurns,
  type TreeEntry,
  type TreeSource,
  childDigests,
  childNodes,
  digestOf,
  entriesOf,
} from "./tree-source.ts";

/** Questions in one message, at most. */
export const questionsMax = 16;
/** A node with so few entries is answered by a list of them. */
export const listedMax = 128;

/** What one replica tells of a node: what it comes to, or what each of its children does. */
export interface TreeQuestion {
  readonly node: TreeNode;
  readonly of: "node" | "children";
  readonly digests: readonly Digest[];
}

/** What the other one holds differently, and there: what its children come to, or its entries. */
export interface TreeDifference {
  /** Which question. */
  readonly question: number;
  /** Which child; 0 where the question is about the node itself. */
  readonly child: number;
  readonly holds:
    | { readonly kind: "digests"; readonly digests: readonly Digest[] }
    | { readonly kind: "entries"; readonly entries: readonly TreeEntry[] };
}

/** The nodes that a question is about. */
export function nodesAsked(source: TreeSource, { node, of }: TreeQuestion): readonly TreeNode[] {
  return of === "node" ? [node] : childNodes(source, node);
}

/** True for questions that a replica with the same table of owners may ask. */
export function isAnswerable(source: TreeSource, questions: readonly TreeQuestion[]): boolean {
  return (
    questions.length <= questionsMax &&
    questions.every(
      (question) =>
        isNodeOf(question.node, source.shared, source.partitions) &&
        nodesAsked(source, question).length === question.digests.length,
    )
  );
}

/** Compares what was asked with what is held here. Nothing is read but the index. */
export function* answer(
  source: TreeSource,
  questions: readonly TreeQuestion[],
): InTurns<readonly TreeDifference[]> {
  const differences: TreeDifference[] = [];
  for (const [question, { node, of, digests }] of questions.entries()) {
    const held =
      of === "node"
        ? [{ node, digest: yield* digestOf(source, node) }]
        : yield* childDigests(source, node);
    for (const [child, each] of held.entries()) {
      if (equalDigests(each.digest, digests[child] as Digest)) continue;
      const holds = yield* shown(source, each.node, each.digest.count);
      differences.push({ question, child, holds });
    }
  }
  return differences;
}

function* shown(
  source: TreeSource,
  node: TreeNode,
  count: number,
): InTurns<TreeDifference["holds"]> {
  if (isLeaf(node) || (node.count === 1 && count <= listedMax)) {
    return { kind: "entries", entries: yield* entriesOf(source, node) };
  }
  const children = yield* childDigests(source, node);
  return {
    kind: "digests",
    digests: children.map(({ digest: { high, low } }) => ({ high, low })),
  };
}
