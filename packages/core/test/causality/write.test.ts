import { DeadWrites } from "../../src/causality/dead-writes.ts";
import { describe, expect, it } from "vitest";
import {
  type CausalContext,
  type CausalRecord,
  type Sibling,
  InvariantViolation,
  VersionVector,
  applyDelete,
  applyPut,
  contextOf,
  emptyRecord,
  limits,
  mergeRecords,
  utf8,
} from "../../src/index.ts";
import { actorNamed, namesIn, writeIdNamed } from "./history.ts";

interface PutOptions {
  readonly actor?: number;
  readonly counter?: number;
  readonly context?: CausalContext;
  readonly bytes?: number;
  readonly id?: number;
  readonly overwrites?: boolean;
}

const apply = (
  record: CausalRecord,
  name: string,
  { actor = 1, counter, context, bytes, id, overwrites = false }: PutOptions = {},
): ReturnType<typeof applyPut> =>
  applyPut(record, {
    value: bytes === undefined ? utf8(name) : new Uint8Array(bytes),
    contentType: "text/plain",
    writtenAt: { wallMs: 1000, logical: 0 },
    writeId: id === undefined ? undefined : writeIdNamed(id),
    context,
    overwrites,
    mint: () => ({
      actor: actorNamed(actor),
      counter: counter ?? record.clock.get(actorNamed(actor)) + 1,
    }),
  });

function put(record: CausalRecord, name: string, options: PutOptions = {}): CausalRecord {
  const applied = apply(record, name, options);
  if (!applied.ok) throw new Error(applied.code);
  return applied.record;
}

const names = (record: CausalRecord): readonly string[] => namesIn(record).toSorted();

describe("records", () => {
  it("behaviour 10: a descendant replaces its ancestor", () => {
    const ancestor = put(emptyRecord, "old");
    const descendant = put(ancestor, "new", { actor: 2, context: contextOf(ancestor) });
    expect(names(mergeRecords(ancestor, descendant))).toEqual(["new"]);
    expect(names(mergeRecords(descendant, ancestor))).toEqual(["new"]);
  });

  it("behaviour 11: records with concurrent clocks are both kept", () => {
    const [left, right] = [put(emptyRecord, "x"), put(emptyRecord, "y", { actor: 2 })];
    expect(names(mergeRecords(left, right))).toEqual(["x", "y"]);
  });

  it("behaviour 12: a stale record is ignored", () => {
    const stale = put(emptyRecord, "old");
    const held = put(stale, "new", { context: contextOf(stale) });
    expect(mergeRecords(held, stale)).toBe(held);
  });

  it("behaviour 14: a put without context makes a clock of one entry", () => {
    expect([...put(emptyRecord, "x").clock.entries()]).toEqual([
      { actor: actorNamed(1), counter: 1 },
    ]);
  });

  it("behaviour 15: a put with the context that was read leaves one value", () => {
    const both = put(put(emptyRecord, "x"), "y");
    expect(names(put(both, "z", { context: contextOf(both) }))).toEqual(["z"]);
  });

  it("two blind puts through one coordinator are both kept, though one store minted both", () => {
    expect(names(put(put(emptyRecord, "x"), "y"))).toEqual(["x", "y"]);
  });

  it("a tombstone merged with a blind put of another replica keeps that put", () => {
    const first = put(emptyRecord, "x");
    const tombstone = applyDelete(first, contextOf(first));
    const blind = put(emptyRecord, "y", { actor: 2 });
    expect(names(mergeRecords(tombstone, blind))).toEqual(["y"]);
    expect(names(mergeRecords(tombstone, first))).toEqual([]);
  });
});

describe("a retried write that was read under one of its dots is overwritten under all", () => {
  const first = put(emptyRecord, "x", { actor: 1, id: 1 });
  const twins = mergeRecords(first, put(emptyRecord, "x", { actor: 2, id: 1 }));
  const context = { vector: first.clock, writes: DeadWrites.none };

  it("by a put", () => {
    expect(names(put(twins, "y", { actor: 3, context }))).toEqual(["y"]);
  });

  it("by a delete", () => {
    expect(names(applyDelete(twins, context))).toEqual([]);
  });
});

describe("a delete", () => {
  it("that has nothing to do returns the record itself", () => {
    const record = put(emptyRecord, "x", { id: 1 });
    const context = contextOf(record);
    const tombstone = applyDelete(record, context);
    expect(applyDelete(tombstone, context)).toBe(tombstone);
    expect(applyDelete(record, { vector: VersionVector.empty, writes: DeadWrites.none })).toBe(
      record,
    );
  });

  it("remembers the write ids of its context, though it drops nothing here", () => {
    const record = put(emptyRecord, "x", { id: 1 });
    const forgetful = { clock: record.clock, siblings: [], deadWrites: DeadWrites.none };
    const after = applyDelete(forgetful, contextOf(record));
    expect(after.deadWrites.toArray().map(({ writeId }) => writeId)).toEqual([writeIdNamed(1)]);
    const retried = put(emptyRecord, "x", { actor: 2, id: 1 });
    expect(names(mergeRecords(after, retried))).toEqual([]);
  });
});

describe("dead write ids", () => {
  it("are in canonical order even when a context brings all of them", () => {
    let record = emptyRecord;
    for (const id of [5, 3, 9, 1]) record = put(record, `v${id}`, { id });
    const fresh = put(emptyRecord, "new", { actor: 2, context: contextOf(record), id: 7 });
    const ids = fresh.deadWrites.toArray().map(({ writeId }) => writeId as string);
    expect(ids).toEqual(ids.toSorted());
    expect(ids).toHaveLength(4);
  });

  it("are bounded, and the newest are kept", () => {
    let record = emptyRecord;
    for (let id = 0; id < limits.deadWritesMax + 10; id += 1) {
      record = put(record, `v${id}`, { id, context: contextOf(record) });
    }
    expect(record.deadWrites.size).toBe(limits.deadWritesMax);
  });
});

const siblings = (count: number): CausalRecord => {
  let record = emptyRecord;
  for (let index = 0; index < count; index += 1) record = put(record, `v${index}`);
  return record;
};

const actors = (count: number): CausalRecord => {
  let record = emptyRecord;
  for (let actor = 0; actor < count; actor += 1) {
    record = put(record, "v", { actor, context: contextOf(record) });
  }
  return record;
};

describe("a put that overwrites what its client has not read", () => {
  const overwrite = (record: CausalRecord, name: string, actor: number, id: number): CausalRecord =>
    put(record, name, { actor, id, overwrites: true });

  it("leaves one value", () => {
    expect(names(overwrite(siblings(3), "new", 2, 7))).toEqual(["new"]);
  });

  it("is not lost when it and another are retried where the other one came first", () => {
    const here = overwrite(overwrite(emptyRecord, "x", 1, 1), "y", 1, 2);
    const there = overwrite(overwrite(emptyRecord, "y", 2, 2), "x", 2, 1);
    expect(names(mergeRecords(here, there))).toEqual(["x", "y"]);
    expect(mergeRecords(there, here)).toEqual(mergeRecords(here, there));
  });

  it("takes along what its reader deletes, wherever a retry of that was carried out", () => {
    const apart = overwrite(emptyRecord, "x", 2, 1);
    const here = overwrite(overwrite(emptyRecord, "x", 1, 1), "y", 1, 2);
    expect(names(mergeRecords(here, apart))).toEqual(["x", "y"]);
    const deleted = applyDelete(here, contextOf(here));
    expect(names(mergeRecords(deleted, apart))).toEqual([]);
    const later = put(here, "z", { actor: 1, id: 3, context: contextOf(here) });
    expect(names(mergeRecords(later, apart))).toEqual(["z"]);
  });

  it("makes no new value of a retry that comes where it was overwritten", () => {
    const here = overwrite(overwrite(emptyRecord, "x", 1, 1), "y", 1, 2);
    expect(overwrite(here, "x", 1, 1)).toBe(here);
  });

  it("is taken however many siblings and actors there are", () => {
    for (const record of [siblings(limits.siblingsPerKeyMax), actors(limits.actorsPerKeyMax)]) {
      expect(names(overwrite(record, "new", 2, 7))).toEqual(["new"]);
    }
  });
});

describe("limits", () => {
  const nothingRead: CausalContext = { vector: VersionVector.empty, writes: DeadWrites.none };
  const full = siblings(limits.siblingsPerKeyMax);
  const crowded = actors(limits.actorsPerKeyMax);
  const { value: _, ...rest } = full.siblings[0] as Sibling;
  const heavy: CausalRecord = {
    ...siblings(1),
    siblings: [{ ...rest, value: new Uint8Array(limits.recordBytesMax) }],
  };

  it.each([
    ["siblings", "without context", full, undefined, "too-many-siblings"],
    ["siblings", "with a context that resolves nothing", full, nothingRead, "too-many-siblings"],
    ["actors", "without context", crowded, undefined, "too-many-actors"],
    ["actors", "with a context that resolves nothing", crowded, nothingRead, "too-many-actors"],
    ["bytes", "without context", heavy, undefined, "record-too-large"],
    ["bytes", "with a context that resolves nothing", heavy, nothingRead, "record-too-large"],
  ])("of %s refuse a put %s", (_what, _how, record, context, code) => {
    const minted: number[] = [];
    const applied = applyPut(record, {
      value: utf8("more"),
      contentType: "",
      writtenAt: { wallMs: 1, logical: 0 },
      writeId: undefined,
      context,
      mint: () => ({ actor: actorNamed(1), counter: minted.push(1) }),
    });
    expect(applied).toEqual({ ok: false, code });
    expect(minted).toEqual([]);
  });

  it.each([
    ["siblings", full],
    ["actors", crowded],
    ["bytes", heavy],
  ])("of %s let a put resolve what is there", (_what, record) => {
    expect(names(put(record, "one", { context: contextOf(record) }))).toEqual(["one"]);
  });

  it("of actors let a deleted key be created anew with its context", () => {
    const tombstone = applyDelete(crowded, contextOf(crowded));
    expect(names(put(tombstone, "new", { context: contextOf(tombstone) }))).toEqual(["new"]);
  });
});

describe("a dot that is not fresh", () => {
  it("stops the process when the record has seen it", () => {
    expect(() => apply(put(emptyRecord, "x"), "y", { counter: 1 })).toThrow(InvariantViolation);
  });

  it("refuses the put when only the context has seen it, as after a rollback", () => {
    const context = contextOf(put(emptyRecord, "x", { counter: 5 }));
    expect(apply(emptyRecord, "y", { context, counter: 5 })).toEqual({
      ok: false,
      code: "bad-context",
    });
  });
});
