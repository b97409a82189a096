import { describe, expect, it } from "vitest";
import {
  Descent,
  type Token,
  type TreeEntry,
  answer,
  compareTokens,
  emptyRange,
  equalDigests,
  partitionNode,
  rootNode,
} from "../../src/index.ts";
import { childDigests, digestOf } from "../../src/merkle/tree-source.ts";
import { EntrySource, atOnce, digestNamed } from "./entry-source.ts";

const partitions = 4;
const shared = [0, 1, 2, 3];

function entry(number: number, version = 0): TreeEntry {
  const token = { high: Math.imul(number, 0x9e37_79b1) >>> 0, low: number };
  return { token, digest: digestNamed(1 + number + version * 1_000_000) };
}

function holding(entries: readonly TreeEntry[]): EntrySource {
  return new EntrySource(partitions, shared, entries);
}

const root = rootNode(shared.length);

/** The tokens that one replica finds by asking the other, and in how many messages. */
function differences(
  ours: EntrySource,
  theirs: EntrySource,
): { readonly tokens: readonly Token[]; readonly asked: number } {
  const descent = new Descent(ours, [root]);
  const tokens: Token[] = [];
  let asked = 0;
  while (!descent.isOver) {
    const questions = atOnce(descent.questions());
    if (questions.length > 0) {
      asked += 1;
      expect(atOnce(descent.receive(atOnce(answer(theirs, questions))))).toBe(true);
    }
    tokens.push(...descent.take().map(({ token }) => token));
  }
  return { tokens: tokens.toSorted(compareTokens), asked };
}

function tokensOf(entries: readonly TreeEntry[]): readonly Token[] {
  return entries.map(({ token }) => token).toSorted(compareTokens);
}

const some: readonly TreeEntry[] = Array.from({ length: 500 }, (_, number) => entry(number));

describe("a tree", () => {
  it("behaviour 35: of nothing comes to nothing", () => {
    expect(atOnce(digestOf(holding([]), root))).toEqual(emptyRange);
  });

  it("behaviour 36: of one entry comes to that entry's digest", () => {
    const one = entry(7);
    expect(atOnce(digestOf(holding([one]), root))).toEqual({ ...one.digest, count: 1 });
  });

  it("behaviour 37: has the same root whatever the order of its entries", () => {
    const inOrder = atOnce(digestOf(holding(some), root));
    expect(atOnce(digestOf(holding(some.toReversed()), root))).toEqual(inOrder);
    expect(inOrder.count).toBe(500);
  });

  it("behaviour 38: of four entries in four partitions has four children under its root", () => {
    const four = [0, 1, 2, 3].map((quarter) => ({
      token: { high: quarter * 0x4000_0000 + 5, low: 0 },
      digest: digestNamed(quarter + 1),
    }));
    const children = atOnce(childDigests(holding(four), root));
    expect(children.map(({ node }) => node)).toEqual([0, 1, 2, 3].map(partitionNode));
    expect(children.map(({ digest }) => digest)).toEqual(
      four.map(({ digest }) => ({ ...digest, count: 1 })),
    );
    const below = atOnce(childDigests(holding(four), partitionNode(2)));
    expect(below).toHaveLength(16);
    expect(below.filter(({ digest }) => digest.count > 0).map(({ node }) => node)).toEqual([
      { first: 2, count: 1, tokens: { from: { high: 0x8000_0000, low: 0 }, bits: 58 } },
    ]);
  });
});

describe("two trees", () => {
  it("behaviour 39: that are identical show no difference, after one question", () => {
    expect(differences(holding(some), holding(some))).toEqual({ tokens: [], asked: 1 });
  });

  it("behaviour 40: show the one key that differs", () => {
    const other = some.map((each, at) => (at === 321 ? entry(321, 1) : each));
    const found = differences(holding(some), holding(other));
    expect(found.tokens).toEqual([entry(321).token]);
    expect(found.asked).toBeLessThanOrEqual(3);
  });

  it("behaviour 41: show the two keys that differ", () => {
    const other = some
      .filter((_, at) => at !== 11)
      .map((each, at) => (at === 77 ? entry(78, 1) : each));
    expect(differences(holding(some), holding(other)).tokens).toEqual(
      tokensOf([entry(11), entry(78)]),
    );
    expect(differences(holding(other), holding(some)).tokens).toEqual(
      tokensOf([entry(11), entry(78)]),
    );
  });

  it("behaviour 42: of which one is empty show every key of the other", () => {
    expect(differences(holding(some), holding([])).tokens).toEqual(tokensOf(some));
    expect(differences(holding([]), holding(some)).tokens).toEqual(tokensOf(some));
  });

  it("behaviour 43: that are both empty show no difference", () => {
    expect(differences(holding([]), holding([]))).toEqual({ tokens: [], asked: 1 });
  });

  it("behaviour 44: of which every key differs show all of them", () => {
    const other = some.map((_, number) => entry(number, 1));
    expect(differences(holding(some), holding(other)).tokens).toEqual(tokensOf(some));
    expect(equalDigests(entry(3).digest, entry(3, 1).digest)).toBe(false);
  });
});
