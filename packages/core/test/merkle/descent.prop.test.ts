import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  Descent,
  type Token,
  type TreeEntry,
  type TreeQuestion,
  answer,
  compareTokens,
  differingTokens,
  isAnswerable,
  partitionNode,
  partitionOf,
  questionsMax,
  rootNode,
} from "../../src/index.ts";
import { EntrySource, atOnce, digestNamed } from "./entry-source.ts";

/** Tokens that are spread, and tokens that only their lower half tells apart. */
const token: fc.Arbitrary<Token> = fc.oneof(
  fc.record({ high: fc.nat(0xffff_ffff), low: fc.nat(0xffff_ffff) }),
  fc.record({ high: fc.constantFrom(0, 0x5555_5556, 0xffff_ffff), low: fc.nat(0xffff_ffff) }),
  fc.record({ high: fc.constant(0x7000_0000), low: fc.nat(3) }),
);

/** As records have them, digests tell keys apart too: no two entries of a replica are equal. */
const entry: fc.Arbitrary<TreeEntry> = fc
  .record({ token, number: fc.nat(1000) })
  .map(({ token: { high, low }, number }) => {
    const name = ((high * 31 + low * 17) % 1_000_000_007) * 1001 + number + 1;
    return { token: { high, low }, digest: digestNamed(name) };
  });

function distinct(entries: readonly TreeEntry[]): readonly TreeEntry[] {
  const named = entries.map((each): [string, TreeEntry] => [JSON.stringify(each), each]);
  return [...new Map(named).values()];
}

/** Two replicas that hold much the same, and the partitions that they share. */
const replicas: fc.Arbitrary<{ readonly ours: EntrySource; readonly theirs: EntrySource }> = fc
  .record({
    partitions: fc.constantFrom(1, 3, 8, 100),
    every: fc.integer({ min: 1, max: 3 }),
    both: fc.array(entry, { maxLength: 600, size: "max" }),
    one: fc.array(entry, { maxLength: 200, size: "max" }),
    other: fc.array(entry, { maxLength: 5 }),
  })
  .map(({ partitions, every, both, one, other }) => {
    const all = Array.from({ length: partitions }, (_, partition) => partition);
    const shared = all.filter((partition) => partition % every === 0);
    const mayHold = ({ token: { high, low } }: TreeEntry): boolean =>
      shared.includes(partitionOf({ high, low }, partitions));
    const holding = (more: readonly TreeEntry[]): EntrySource =>
      new EntrySource(partitions, shared, distinct([...both, ...more].filter(mayHold)));
    return { ours: holding(one), theirs: holding(other) };
  });

interface Found {
  readonly tokens: readonly Token[];
  /** The longest list of questions, and of entries waiting to be taken. */
  readonly most: number;
}

function descend(ours: EntrySource, theirs: EntrySource, from: "root" | "partitions"): Found {
  const nodes =
    from === "root"
      ? [rootNode(ours.shared.length)]
      : ours.shared.map((_, index) => partitionNode(index));
  const descent = new Descent(ours, nodes);
  const tokens: Token[] = [];
  let most = 0;
  let looked = 0;
  while (!descent.isOver) {
    const questions = atOnce(descent.questions());
    most = Math.max(most, questions.length);
    expect(isAnswerable(theirs, questions)).toBe(true);
    const said = atOnce(answer(theirs, questions));
    if (questions.length > 0) expect(atOnce(descent.receive(said))).toBe(true);
    for (const { token: found, partition } of descent.take()) {
      expect(ours.shared.indexOf(partition)).toBeGreaterThanOrEqual(looked);
      tokens.push(found);
    }
    expect(descent.lookedThrough).toBeGreaterThanOrEqual(looked);
    looked = descent.lookedThrough;
  }
  expect(looked).toBe(ours.shared.length);
  return { tokens: tokens.toSorted(compareTokens), most };
}

function allEntries(of: EntrySource): readonly TreeEntry[] {
  const page = { after: undefined, limit: Number.POSITIVE_INFINITY };
  return of.shared.flatMap((partition) => atOnce(of.entries(partition, undefined, page)));
}

describe("a descent", () => {
  it("finds exactly the tokens under which replicas differ, whoever asks", () => {
    fc.assert(
      fc.property(replicas, fc.constantFrom("root", "partitions"), ({ ours, theirs }, from) => {
        const differing = differingTokens(allEntries(ours), allEntries(theirs));
        const expected = differing.map(({ token }) => token);
        expect(descend(ours, theirs, from).tokens).toEqual(expected);
        const back = descend(theirs, ours, from);
        expect(back.tokens).toEqual(expected);
        expect(back.most).toBeLessThanOrEqual(questionsMax);
      }),
      { numRuns: 60 },
    );
  });

  it("takes no answer that does not fit what it asked", () => {
    const ours = new EntrySource(
      8,
      [0, 1, 2],
      [{ token: { high: 1, low: 1 }, digest: digestNamed(1) }],
    );
    const descent = new Descent(ours, [rootNode(3)]);
    atOnce(descent.questions());
    const holds = { kind: "digests" as const, digests: [digestNamed(2)] };
    expect(atOnce(descent.receive([{ question: 0, child: 0, holds }]))).toBe(false);
    expect(atOnce(descent.receive([{ question: 1, child: 0, holds }]))).toBe(false);
    const entries = { kind: "entries" as const, entries: [] };
    expect(atOnce(descent.receive([{ question: 0, child: 0, holds: entries }]))).toBe(false);
  });

  it.each<[string, TreeQuestion]>([
    [
      "a stretch beyond the list",
      { node: { first: 2, count: 2, tokens: undefined }, of: "node", digests: [digestNamed(1)] },
    ],
    [
      "no partition",
      { node: { first: 0, count: 0, tokens: undefined }, of: "node", digests: [digestNamed(1)] },
    ],
    [
      "tokens of another partition",
      {
        node: { first: 0, count: 1, tokens: { from: { high: 0xffff_ffff, low: 0 }, bits: 4 } },
        of: "node",
        digests: [digestNamed(1)],
      },
    ],
    [
      "more tokens than there are",
      {
        node: { first: 0, count: 1, tokens: { from: { high: 0, low: 0 }, bits: 65 } },
        of: "node",
        digests: [digestNamed(1)],
      },
    ],
    [
      "too few digests",
      {
        node: { first: 0, count: 3, tokens: undefined },
        of: "children",
        digests: [digestNamed(1)],
      },
    ],
  ])("is not answered where it asks for %s", (_, question) => {
    expect(isAnswerable(new EntrySource(8, [0, 1, 2], []), [question])).toBe(false);
  });
});
