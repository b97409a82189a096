import type { Digest } from "../bytes/digest.ts";
import type { PartitionId, Token } from "../ring/token.ts";
import { compareTokens } from "../ring/token.ts";
import { differingTokens } from "./differing-tokens.ts";
import { emptyRange, equalDigests } from "./range-digest.ts";
import { type TreeNode, isLeaf } from "./tree-node.ts";
import {
  type TreeDifference,
  type TreeQuestion,
  nodesAsked,
  questionsMax,
} from "./tree-question.ts";
import {
  type InTurns,
  type TreeEntry,
  type TreeSource,
  childDigests,
  childNodes,
  digestOf,
  entriesOf,
} from "./tree-source.ts";

/** A token under which two replicas do not hold the same. */
export interface DifferingToken {
  readonly partition: PartitionId;
  readonly token: Token;
}

/** Own entries that are taken at once where the other one has nothing. */
const ownPage = 1024;

/**
 * What is to be looked at: a node of which nothing is known, one that is known to differ, or one of
 * which the other replica has nothing (from a token on).
 */
interface Pending {
  readonly node: TreeNode;
  readonly kind: "unknown" | "differs" | "lacking";
  readonly after?: Token | undefined;
}

/**
 * One replica's way down the tree, to the tokens under which another one holds something else: what
 * to ask next, and what the answers say. Two levels per question; depth first and in order, so that
 * little is remembered however much differs.
 */
export class Descent {
  readonly #source: TreeSource;
  /** The next one is the last. */
  readonly #pending: Pending[];
  #asked: readonly TreeQuestion[] = [];
  #found: DifferingToken[] = [];

  /** @param nodes where to begin, in ascending order */
  constructor(source: TreeSource, nodes: readonly TreeNode[]) {
    this.#source = source;
    this.#pending = nodes.map((node) => ({ node, kind: "unknown" as const })).toReversed();
  }

  /** True when there is nothing left to ask, or to take. */
  get isOver(): boolean {
    return this.#pending.length === 0 && this.#found.length === 0;
  }

  /** How many tokens were found and not yet taken. */
  get found(): number {
    return this.#found.length;
  }

  /** All partitions before this one of the list were looked through: what differs was found. */
  get lookedThrough(): number {
    return this.#pending.at(-1)?.node.first ?? this.#source.shared.length;
  }

  /** What to ask next, so much at most; nothing if it is over, or if there is enough to take. */
  *questions(most: number = questionsMax): InTurns<readonly TreeQuestion[]> {
    const questions: TreeQuestion[] = [];
    while (questions.length < most) {
      const next = this.#pending.at(-1);
      if (next === undefined) break;
      if (next.kind === "lacking") {
        // What was asked lies before it, and goes first.
        if (questions.length > 0) break;
        yield* this.#takeOwn(next);
        if (this.#found.length >= ownPage) break;
        continue;
      }
      this.#pending.pop();
      questions.push(yield* this.#question(next));
    }
    this.#asked = questions;
    return questions;
  }

  /** What the other replica said to the last questions. False: it makes no sense. */
  *receive(differences: readonly TreeDifference[]): InTurns<boolean> {
    const further: Pending[] = [];
    for (const { question, child, holds } of differences) {
      const asked = this.#asked[question];
      const node = asked === undefined ? undefined : nodesAsked(this.#source, asked)[child];
      if (node === undefined) return false;
      if (holds.kind === "entries") {
        if (node.count !== 1) return false;
        yield* this.#compareEntries(node, holds.entries);
      } else {
        const children = yield* this.#differing(node, holds.digests);
        if (children === undefined) return false;
        further.push(...children);
      }
    }
    this.#pending.push(...further.toReversed());
    this.#asked = [];
    return true;
  }

  /** Takes what was found. */
  take(): readonly DifferingToken[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  *#question({ node, kind }: Pending): InTurns<TreeQuestion> {
    if (kind === "unknown" || isLeaf(node)) {
      const { high, low } = yield* digestOf(this.#source, node);
      return { node, of: "node", digests: [{ high, low }] };
    }
    const children = yield* childDigests(this.#source, node);
    return {
      node,
      of: "children",
      digests: children.map(({ digest: { high, low } }) => ({ high, low })),
    };
  }

  /** The children that the other one says it holds differently. */
  *#differing(node: TreeNode, theirs: readonly Digest[]): InTurns<readonly Pending[] | undefined> {
    if (isLeaf(node) || childNodes(this.#source, node).length !== theirs.length) return undefined;
    const children = yield* childDigests(this.#source, node);
    return children.flatMap(({ node: child, digest }, at): readonly Pending[] => {
      const their = theirs[at] as Digest;
      if (equalDigests(digest, their)) return [];
      return [{ node: child, kind: equalDigests(their, emptyRange) ? "lacking" : "differs" }];
    });
  }

  *#compareEntries(node: TreeNode, theirs: readonly TreeEntry[]): InTurns<void> {
    const partition = this.#source.shared[node.first] as PartitionId;
    const ours = yield* entriesOf(this.#source, node);
    for (const { token } of differingTokens(ours, theirs)) this.#found.push({ partition, token });
  }

  /** Of what the other one has nothing, some more; it stays pending while there is any. */
  *#takeOwn({ node, after }: Pending): InTurns<void> {
    this.#pending.pop();
    if (node.count > 1) {
      const children = childNodes(this.#source, node).toReversed();
      for (const child of children) this.#pending.push({ node: child, kind: "lacking" });
      return;
    }
    const partition = this.#source.shared[node.first] as PartitionId;
    const entries = yield* entriesOf(this.#source, node, { after, limit: ownPage });
    for (const { token } of entries) this.#noteOnce(partition, token);
    const last = entries.at(-1);
    if (last !== undefined && entries.length >= ownPage) {
      this.#pending.push({ node, kind: "lacking", after: last.token });
    }
  }

  #noteOnce(partition: PartitionId, token: Token): void {
    const last = this.#found.at(-1);
    if (last?.partition === partition && compareTokens(last.token, token) === 0) return;
    this.#found.push({ partition, token });
  }
}
