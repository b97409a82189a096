import { DeadWrites } from "../../src/causality/dead-writes.ts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CausalContext,
  type CausalRecord,
  type Sibling,
  VersionVector,
  applyDelete,
  applyPut,
  compareHybridTime,
  contextOf,
  emptyRecord,
  latestSibling,
  mergeRecords,
} from "../../src/index.ts";
import { coterie } from "./arbitraries.ts";
import type { CausalImplementation } from "./history.ts";
import { type LawName, laws } from "./laws.ts";

const withSiblings = (record: CausalRecord, siblings: readonly Sibling[]): CausalRecord => ({
  ...record,
  siblings,
});

const latestOnly = (record: CausalRecord): CausalRecord => {
  const latest = latestSibling(record.siblings);
  return latest === undefined ? record : withSiblings(record, [latest]);
};

/** What others have done, and what we nearly did. Each must break the law beside it. */
const mutants: readonly (readonly [name: string, law: LawName, Partial<CausalImplementation>])[] = [
  [
    "merge keeps one sibling",
    "no write is lost",
    { merge: (left, right) => latestOnly(mergeRecords(left, right)) },
  ],
  [
    "merge is last-write-wins by wall clock",
    "no write is lost",
    {
      merge: (left, right) => {
        const [mine, theirs] = [latestSibling(left.siblings), latestSibling(right.siblings)];
        if (mine === undefined || theirs === undefined) return mergeRecords(left, right);
        return compareHybridTime(mine.writtenAt, theirs.writtenAt) >= 0 ? left : right;
      },
    },
  ],
  [
    "put increments the client's clock instead of minting a fresh dot",
    "blind puts become siblings",
    { put: (record, put) => putUnderClientsClock(record, put) },
  ],
  [
    "put overwrites whatever there is",
    "a put with an old context becomes a sibling",
    { put: (record, put) => applyPut(record, { ...put, context: contextOf(record) }) },
  ],
  [
    "put ignores its context",
    "no sibling has another in its past",
    { put: (record, put) => applyPut(record, { ...put, context: undefined }) },
  ],
  [
    "put does not merge its context into the clock",
    "nothing overwritten or deleted returns",
    {
      put: (record, put) => {
        const applied = applyPut(record, put);
        const added = applied.ok ? applied.record.siblings : [];
        const dots = added.flatMap((sibling) => sibling.dots);
        const clock = dots.reduce((vector, dot) => vector.with(dot), record.clock);
        return applied.ok ? { ...applied, record: { ...applied.record, clock } } : applied;
      },
    },
  ],
  [
    "put forgets that it has seen its write id",
    "a repeated put changes nothing",
    { put: (record, put) => applyPut({ ...record, deadWrites: DeadWrites.none }, put) },
  ],
  [
    "overwritten write ids are not remembered",
    "a late retry never comes back",
    {
      put: (record, put) => {
        const applied = applyPut(record, put);
        return applied.ok
          ? { ...applied, record: { ...applied.record, deadWrites: DeadWrites.none } }
          : applied;
      },
    },
  ],
  [
    "merge leaves a retried write as two siblings",
    "one write is one value",
    { merge: (left, right) => mergeWithoutWriteIds(left, right) },
  ],
  [
    "put returns the whole clock although siblings remain",
    "a put's context covers nothing unread",
    { contextAfterPut: (record) => contextOf(record) },
  ],
  [
    "put returns the vector of its own dot although siblings remain",
    "a put's context covers nothing unread",
    {
      contextAfterPut: (_, { dot }): CausalContext | undefined =>
        dot === undefined
          ? undefined
          : { vector: VersionVector.of([dot]), writes: DeadWrites.none },
    },
  ],
  [
    "put returns the context of a single sibling, though it is another client's",
    "a put's context covers nothing unread",
    {
      contextAfterPut: (record) => (record.siblings.length === 1 ? contextOf(record) : undefined),
    },
  ],
  [
    "merge drops a dot that both hold, because the other's clock covers it",
    "no write is lost",
    { merge: (left, right) => mergeUncovered(left, right) },
  ],
  [
    "merge keeps everything that either side holds",
    "nothing overwritten or deleted returns",
    { merge: (left, right) => mergeUnion(left, right) },
  ],
  [
    "a tombstone is forgotten at once",
    "nothing overwritten or deleted returns",
    { delete: (record, context) => forgetTombstone(applyDelete(record, context)) },
  ],
  [
    "delete drops what the client has not read",
    "no write is lost",
    { delete: (record) => applyDelete(record, contextOf(record)) },
  ],
  [
    "merge prefers its left side among copies of one write",
    "merge is commutative",
    { merge: (left, right) => mergeKeepingLeftCopies(left, right) },
  ],
  [
    "merge makes a new record each time",
    "a stale record changes nothing",
    { merge: (left, right) => ({ ...mergeRecords(left, right) }) },
  ],
];

const putUnderClientsClock: CausalImplementation["put"] = (record, put) => {
  const applied = applyPut(record, put);
  if (!applied.ok || applied.isRepeat) return applied;
  const { actor } = put.mint();
  const counter = (put.context?.vector.get(actor) ?? 0) + 1;
  const dot = { actor, counter };
  const added = applied.record.siblings.find(({ value }) => value === put.value) as Sibling;
  const others = applied.record.siblings.filter(
    (sibling) => sibling !== added && sibling.dots.every((held) => !isDot(held, dot)),
  );
  const clock = record.clock.merge(put.context?.vector ?? record.clock).with(dot);
  const record_ = { ...applied.record, clock, siblings: [...others, { ...added, dots: [dot] }] };
  return { ...applied, record: record_ };
};

const isDot = (left: Sibling["dots"][number], right: Sibling["dots"][number]): boolean =>
  left.actor === right.actor && left.counter === right.counter;

const mergeWithoutWriteIds: CausalImplementation["merge"] = (left, right) => {
  const anonymous = (record: CausalRecord): CausalRecord =>
    withSiblings(
      record,
      record.siblings.map((sibling) => ({ ...sibling, writeId: undefined })),
    );
  return mergeRecords(anonymous(left), anonymous(right));
};

const mergeUncovered: CausalImplementation["merge"] = (left, right) => {
  if (left === right) return left;
  const uncovered = (record: CausalRecord, other: CausalRecord): readonly Sibling[] =>
    record.siblings.filter(({ dots }) => dots.every((dot) => !other.clock.covers(dot)));
  const siblings = [...uncovered(left, right), ...uncovered(right, left)];
  return withSiblings(mergeRecords(left, right), siblings);
};

const mergeUnion: CausalImplementation["merge"] = (left, right) => {
  const merged = mergeRecords(left, right);
  const held = [...left.siblings];
  for (const sibling of right.siblings) {
    if (!held.some(({ dots }) => dots.some((dot) => isDot(dot, sibling.dots[0] ?? dot)))) {
      held.push(sibling);
    }
  }
  return withSiblings(merged, held);
};

const forgetTombstone = (record: CausalRecord): CausalRecord =>
  record.siblings.length === 0 ? emptyRecord : record;

const mergeKeepingLeftCopies: CausalImplementation["merge"] = (left, right) => {
  const merged = mergeRecords(left, right);
  const mine = (sibling: Sibling): Sibling => {
    const copy = left.siblings.find(
      ({ writeId }) => writeId !== undefined && writeId === sibling.writeId,
    );
    return copy === undefined ? sibling : { ...sibling, writtenAt: copy.writtenAt };
  };
  return merged === left ? left : withSiblings(merged, merged.siblings.map(mine));
};

/** What the law must complain of: a mutant that fails for another reason proves nothing. */
const complaints: Readonly<Record<string, RegExp>> = {
  "merge is commutative": /order matters/u,
  "a stale record changes nothing": /a covered record made a new one/u,
  "no write is lost": /v\d+ is lost/u,
  "nothing overwritten or deleted returns": /v\d+ is undead/u,
  "no sibling has another in its past": /v\d+ is in the past of v\d+/u,
  "one write is one value": /one write is there twice/u,
  "a put's context covers nothing unread": /v\d+ was never read/u,
  "blind puts become siblings": /a blind put replaced another/u,
  "a put with an old context becomes a sibling": /held \w+ instead of/u,
  "a repeated put changes nothing": /a retry of a write that is \w+ changed something/u,
  "a late retry never comes back": /held .*x/u,
};

describe("each wrong implementation breaks a law", () => {
  it.each(mutants)("%s: breaks %j", (_, law, mutant) => {
    const property = laws[law]({ ...coterie, ...mutant });
    const { errorInstance } = fc.check(property, { numRuns: 5000, seed: 1 });
    expect(errorInstance instanceof Error ? errorInstance.message : "obeyed").toMatch(
      complaints[law] ?? /no complaint is known/u,
    );
  });

  it("which the right one obeys under the same seed", () => {
    const broken = Object.entries(laws).filter(
      ([, law]) => fc.check(law(coterie), { numRuns: 500, seed: 1 }).failed,
    );
    expect(broken.map(([name]) => name)).toEqual([]);
  });
});
