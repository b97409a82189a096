import { describe, expect, it } from "vitest";
import {
  type CausalRecord,
  type HybridTime,
  type Sibling,
  type WriteId,
  applyPut,
  contextOf,
  decodeRecord,
  dropExpired,
  emptyRecord,
  encodeRecord,
  isExpired,
  isSpent,
  latestSibling,
  mergeRecords,
  nextDeadlineMs,
  recordDeadlineMs,
  spendExpired,
  unexpiredSiblings,
  utf8,
} from "../../src/index.ts";
import { actorNamed, namesIn, writeIdNamed } from "./history.ts";

const key = { bucket: "default", key: utf8("k") };

interface Given {
  readonly expiresAtMs?: number;
  readonly writeId?: WriteId;
  readonly at?: number;
  readonly writtenAt?: HybridTime;
}

const counters = { next: 0 };
function put(record: CausalRecord, name: string, given: Given = {}): CausalRecord {
  counters.next += 1;
  const counter = counters.next;
  const dot = { actor: actorNamed(given.at ?? 0), counter };
  const applied = applyPut(record, {
    value: utf8(name),
    contentType: "text/plain",
    writtenAt: given.writtenAt ?? { wallMs: counter, logical: 0 },
    writeId: given.writeId,
    context: undefined,
    expiresAtMs: given.expiresAtMs,
    mint: () => dot,
  });
  if (!applied.ok) throw new Error(applied.code);
  return applied.record;
}

const twoOfWhichOneExpires = put(put(emptyRecord, "stays"), "goes", { expiresAtMs: 1000 });

describe("a value that has expired", () => {
  it("has expired at its deadline, and not before", () => {
    const [, goes] = twoOfWhichOneExpires.siblings as [Sibling, Sibling];
    expect([999, 1000, 1001].map((now) => isExpired(goes, now))).toEqual([false, true, true]);
    expect(unexpiredSiblings(twoOfWhichOneExpires.siblings, 999)).toBe(
      twoOfWhichOneExpires.siblings,
    );
  });

  it("is dropped alone, and the clock that covers it stays", () => {
    const rest = dropExpired(twoOfWhichOneExpires, 1000);
    expect(namesIn(rest)).toEqual(["stays"]);
    expect(rest.clock).toBe(twoOfWhichOneExpires.clock);
    expect(dropExpired(twoOfWhichOneExpires, 999)).toBe(twoOfWhichOneExpires);
    expect(dropExpired(rest, 5000)).toBe(rest);
  });

  it("does not come back from a replica that still has it", () => {
    const rest = dropExpired(twoOfWhichOneExpires, 1000);
    expect(mergeRecords(rest, twoOfWhichOneExpires)).toBe(rest);
    expect(namesIn(mergeRecords(twoOfWhichOneExpires, rest))).toEqual(["stays"]);
  });

  it("takes nothing with it that was written meanwhile", () => {
    const newer = put(twoOfWhichOneExpires, "newer", { at: 1 });
    const merged = mergeRecords(dropExpired(twoOfWhichOneExpires, 1000), newer);
    expect(namesIn(merged).toSorted()).toEqual(["newer", "stays"]);
  });

  it("is covered by a context that was given when nothing was left", () => {
    const alone = put(emptyRecord, "goes", { expiresAtMs: 1000 });
    const context = contextOf(dropExpired(alone, 1000));
    expect(alone.siblings.every(({ dots }) => context.vector.covers(dots[0] as never))).toBe(true);
  });

  it("is not revived by a late retry of its put", () => {
    const writeId = writeIdNamed(1);
    const rest = dropExpired(put(emptyRecord, "goes", { expiresAtMs: 1000, writeId }), 1000);
    expect(put(rest, "goes", { expiresAtMs: 9000, writeId })).toBe(rest);
    const retriedElsewhere = put(emptyRecord, "goes", { expiresAtMs: 9000, writeId, at: 1 });
    expect(mergeRecords(rest, retriedElsewhere).siblings).toEqual([]);
  });
});

describe("a spent value", () => {
  const older = put(emptyRecord, "older", { writtenAt: { wallMs: 1, logical: 0 }, at: 1 });
  const newer = { writtenAt: { wallMs: 2, logical: 0 }, expiresAtMs: 1000, at: 2 };
  const alone = put(emptyRecord, "newer", newer);

  it("keeps its dot and its time, and nothing else", () => {
    const [spent] = spendExpired(alone, 1000).siblings as [Sibling];
    expect(isSpent(spent)).toBe(true);
    expect(spent).toMatchObject({ contentType: "", writtenAt: newer.writtenAt });
    expect(spent.value.length).toBe(0);
    expect(spent.dots).toEqual(alone.siblings[0]?.dots);
    expect(isExpired(spent, 1)).toBe(true);
    expect(spendExpired(alone, 999)).toBe(alone);
  });

  it("still hides what it won over, also what reaches it later", () => {
    const spent = spendExpired(alone, 1000);
    for (const merged of [mergeRecords(spent, older), mergeRecords(older, spent)]) {
      const latest = latestSibling(merged.siblings) as Sibling;
      expect(isSpent(latest)).toBe(true);
    }
    expect(latestSibling(mergeRecords(dropExpired(alone, 1000), older).siblings)).toBeDefined();
  });

  it("stays spent when merged with a copy that has its value", () => {
    const spent = spendExpired(alone, 1000);
    expect(mergeRecords(spent, alone)).toBe(spent);
    const merged = mergeRecords(alone, spent);
    expect(encodeRecord(key, merged)).toEqual(encodeRecord(key, spent));
    expect(spendExpired(spent, 9000)).toBe(spent);
  });

  it("with a value is refused as bytes", () => {
    const [sibling] = alone.siblings as [Sibling];
    const record = { ...alone, siblings: [{ ...sibling, expiresAtMs: 0 }] };
    const reason = "a spent sibling that has a value";
    expect(decodeRecord(encodeRecord(key, record))).toEqual({ ok: false, reason });
  });
});

describe("the next deadline of a record", () => {
  it.each([
    ["nothing", emptyRecord, "empty"],
    ["a value that stays", put(emptyRecord, "a"), undefined],
    ["one that expires", twoOfWhichOneExpires, 1000],
    ["the first of two", put(twoOfWhichOneExpires, "b", { expiresAtMs: 900 }), 900],
    ["a spent one beside one that stays", spendExpired(twoOfWhichOneExpires, 1000), undefined],
    ["a spent one", spendExpired(put(emptyRecord, "a", { expiresAtMs: 5 }), 1000), "empty"],
    [
      "one with a write id",
      put(emptyRecord, "c", { expiresAtMs: 2 ** 48 - 1, writeId: writeIdNamed(1) }),
      2 ** 48 - 1,
    ],
  ])("of %s", (_, record, expected) => {
    expect(nextDeadlineMs(record)).toBe(expected);
    expect(recordDeadlineMs(encodeRecord(key, record))).toBe(expected);
  });
});
