import * as fc from "fast-check";
import { expect, it } from "vitest";
import { coverageOf } from "../src/find/coverage.ts";
import type { FindPageOutcome, HeldCopy } from "../src/find/find-page.ts";
import { mergedHoldings } from "../src/find/merged-holdings.ts";
import { NodeHoldings } from "../src/find/node-holdings.ts";

const partitions = 4;

interface Script {
  /** Places of the copies that the node holds: few, so that nodes hold the same keys. */
  readonly places: readonly number[];
  /** Copies per page. */
  readonly page: number;
  /** Pages that it answers. */
  readonly answers: number;
}

const script: fc.Arbitrary<Script> = fc.record({
  places: fc.uniqueArray(fc.nat(63), { maxLength: 30 }),
  page: fc.integer({ min: 1, max: 5 }),
  answers: fc.oneof(fc.constant(Infinity), fc.nat(4)),
});

/** A place of 64 in the hash space. */
function tokenAt(place: number): string {
  return `${(place * 0x400_0000).toString(16).padStart(8, "0")}00000000`;
}

function copyAt(place: number): HeldCopy {
  const partition = Math.floor((place * partitions) / 64);
  return { bucket: "b", key: `k${place}`, token: tokenAt(place), partition, siblings: 1, bytes: 9 };
}

/** Answers as `GET /v1/find` does; pages may be empty, and a node may stop answering. */
function holdingsOf(id: string, { places, page, answers }: Script): NodeHoldings {
  const copies = places.toSorted((left, right) => left - right).map(copyAt);
  let answered = 0;
  return new NodeHoldings(id, undefined, async (cursor): Promise<FindPageOutcome> => {
    if (answered >= answers) return { ok: false, reason: "gone", retryable: false };
    answered += 1;
    const rest = copies.filter(({ token }) => token > (cursor ?? ""));
    const last = rest[page - 1]?.token;
    const isWhole = true;
    if (last === undefined) return { ok: true, page: { copies: rest, cursor: null, isWhole } };
    return { ok: true, page: { copies: rest.slice(0, page), cursor: last, isWhole } };
  });
}

it("merges what nodes hold: each key once, in order, with all who answered for it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(script, { minLength: 1, maxLength: 4 }), async (scripts) => {
      const nodes = scripts.map((each, at) => holdingsOf(`n${at + 1}`, each));
      const found: { token: string; holders: string[] }[] = [];
      for await (const keys of mergedHoldings(nodes)) {
        for (const { token, copies } of keys) {
          found.push({ token, holders: copies.map(({ node }) => node) });
        }
      }
      const expected = Array.from({ length: 64 }, (_, place) => {
        const holders = scripts.flatMap(({ places }, at) => {
          const hasAnswered = nodes[at]?.hasReached(tokenAt(place)) === true;
          return places.includes(place) && hasAnswered ? [`n${at + 1}`] : [];
        });
        return { token: tokenAt(place), holders };
      });
      expect(found).toEqual(expected.filter(({ holders }) => holders.length > 0));
    }),
    { numRuns: 500 },
  );
});

it("tells for every partition who has answered to its end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.tuple(script, script), async (scripts) => {
      const nodes = scripts.map((each, at) => holdingsOf(`n${at + 1}`, each));
      for await (const keys of mergedHoldings(nodes)) expect(keys.length).toBeLessThan(64);
      const replicas = [["n1", "n2"], ["n1"], ["n2"], ["n2", "n1"]];
      const coverage = coverageOf({ replicas, nodes, from: undefined, until: undefined });
      const { byAll, bySome, byNone } = coverage;
      expect(byAll + bySome.length + byNone.length).toBe(partitions);
      const answered = (id: string, partition: number): boolean => {
        const at = Number(id.slice(1)) - 1;
        const reached = nodes[at]?.problem === undefined ? "g" : (nodes[at]?.reached ?? "");
        return reached >= `${(((partition + 1) * 0x4000_0000 - 1) >>> 0).toString(16)}ffffffff`;
      };
      for (const [partition, ids] of replicas.entries()) {
        const who = ids.filter((id) => answered(id, partition));
        expect(byNone.includes(partition)).toBe(who.length === 0);
        const partly = bySome.find((each) => each.partition === partition);
        if (who.length === ids.length || who.length === 0) expect(partly).toBeUndefined();
        else {
          const missing = ids.filter((id) => !who.includes(id));
          expect(partly).toEqual({ partition, answered: who, missing });
        }
      }
    }),
    { numRuns: 300 },
  );
});

it("counts only partitions between where the search began and where it ended", () => {
  const nodes = [holdingsOf("n1", { places: [], page: 1, answers: 0 })];
  const replicas = [["n1"], ["n1"], [], ["n1"]];
  const asked = (from: string | undefined, until: string | undefined): readonly number[] =>
    coverageOf({ replicas, nodes, from, until }).byNone;
  const endOfFirst = "3fffffffffffffff";
  expect(asked(undefined, undefined)).toEqual([0, 1, 3]);
  expect(asked(tokenAt(15), undefined)).toEqual([0, 1, 3]);
  expect(asked(endOfFirst, undefined)).toEqual([1, 3]);
  expect(asked(undefined, endOfFirst)).toEqual([0]);
  expect(asked(undefined, tokenAt(15))).toEqual([]);
  expect(asked(endOfFirst, tokenAt(63))).toEqual([1]);
});
