import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Token, compareTokens, partitionNode, partitionOf } from "../../src/index.ts";
import { type TreeNode, childrenOf, isLeaf, spanOf } from "../../src/merkle/tree-node.ts";

const token: fc.Arbitrary<Token> = fc.oneof(
  fc.record({ high: fc.nat(0xffff_ffff), low: fc.nat(0xffff_ffff) }),
  fc.record({ high: fc.nat(40), low: fc.nat(0xffff_ffff) }),
);

describe("a node of the tree", () => {
  it("is the stretch of its children, one after the other, down to single tokens", () => {
    fc.assert(
      fc.property(token, fc.constantFrom(1, 3, 8, 64, 100, 1000), (aim, partitions) => {
        const partition = partitionOf(aim, partitions);
        let node: TreeNode = partitionNode(partition);
        while (!isLeaf(node)) {
          const children = childrenOf(node, partition, partitions);
          const spans = children.map((child) => spanOf(child, partition, partitions));
          expect(spans.at(-1)?.until).toEqual(spanOf(node, partition, partitions)?.until);
          for (const [at, span] of spans.entries()) {
            if (at > 0) expect(spans[at - 1]?.until).toEqual(span?.from);
          }
          const next = children.findLast(
            ({ tokens }) => tokens !== undefined && compareTokens(tokens.from, aim) <= 0,
          );
          expect(next?.tokens?.from).toBeDefined();
          node = next as TreeNode;
        }
        expect(node.tokens?.from).toEqual(aim);
      }),
    );
  });
});
