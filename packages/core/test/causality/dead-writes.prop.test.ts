import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteReader } from "../../src/bytes/reader.ts";
import { ByteWriter } from "../../src/bytes/writer.ts";
import {
  type DeadWrite,
  DeadWrites,
  deadWritesOnlyIn,
  joinDeadWrites,
} from "../../src/causality/dead-writes.ts";
import type { WriteId } from "../../src/ids.ts";
import { limits } from "../../src/limits.ts";

const startMs = 1_700_000_000_000;

/** Ids that differ in their first byte, in their last, and few enough to meet. */
const writeId = fc
  .oneof(
    fc.nat(120).map((at) => at.toString(16).padStart(2, "0").padEnd(32, "a")),
    fc.nat(40).map((at) => at.toString(16).padStart(32, "0")),
  )
  .map((text) => text as WriteId);

/** Within what is remembered and beyond it, and many of one time. */
const writtenAtMs = fc
  .oneof(fc.nat(5), fc.nat(limits.deadWriteMsMax * 2), fc.nat(2 ** 40))
  .map((ms) => startMs + ms);

const write: fc.Arbitrary<DeadWrite> = fc.oneof(
  fc.record({ writeId, writtenAtMs }),
  fc.record({ writeId, writtenAtMs, isUnread: fc.constant(true as const) }),
);
const writes = fc.array(write, { maxLength: 100, size: "max" });

/** All that is said of each id, sorted by it. */
function together(all: readonly DeadWrite[]): readonly DeadWrite[] {
  const known = new Map<WriteId, DeadWrite>();
  for (const each of all) {
    const before = known.get(each.writeId) ?? each;
    const isUnread = before.isUnread === true && each.isUnread === true;
    const ms = Math.max(before.writtenAtMs, each.writtenAtMs);
    const joined = { writeId: each.writeId, writtenAtMs: ms };
    known.set(each.writeId, isUnread ? { ...joined, isUnread } : joined);
  }
  return byId([...known.values()]);
}

function byId(all: readonly DeadWrite[]): readonly DeadWrite[] {
  return all.toSorted((left, right) => (left.writeId < right.writeId ? -1 : 1));
}

function newest(all: readonly DeadWrite[], count: number): readonly DeadWrite[] {
  const order = byId(all).toSorted((left, right) => right.writtenAtMs - left.writtenAtMs);
  return byId(order.slice(0, count));
}

/** What a record remembers of these. */
function remembered(all: readonly DeadWrite[]): readonly DeadWrite[] {
  const entries = together(all);
  const newestMs = Math.max(...entries.map((entry) => entry.writtenAtMs));
  const recent = entries.filter((entry) => entry.writtenAtMs > newestMs - limits.deadWriteMsMax);
  return newest(recent, limits.deadWritesMax);
}

const joined = writes.map((all) => joinDeadWrites(DeadWrites.none, DeadWrites.of(all)));

describe("a list of dead writes", () => {
  it("is what its writes come to, in the order of their ids", () => {
    fc.assert(
      fc.property(writes, (all) => {
        const list = DeadWrites.of(all);
        const expected = together(all);
        expect(list.toArray()).toEqual(expected);
        expect(list.size).toBe(expected.length);
        expect(list.newestMs()).toBe(Math.max(0, ...all.map((each) => each.writtenAtMs)));
        expect(list.allRead().toArray()).toEqual(
          expected.map((each) => ({ writeId: each.writeId, writtenAtMs: each.writtenAtMs })),
        );
        for (const { writeId: id, isUnread } of expected) {
          expect([list.isRemembered(id), list.isDead(id)]).toEqual([true, isUnread !== true]);
        }
      }),
    );
  });

  it("knows no id that is not in it", () => {
    fc.assert(
      fc.property(writes, writeId, (all, id) => {
        const list = DeadWrites.of(all.filter((each) => each.writeId !== id));
        expect([list.isRemembered(id), list.isDead(id)]).toEqual([false, false]);
        expect(list.isDead(undefined)).toBe(false);
      }),
    );
  });

  it("keeps the newest, and of those as old the first by their ids", () => {
    fc.assert(
      fc.property(writes, fc.nat(100), (all, count) => {
        expect(DeadWrites.of(all).newest(count).toArray()).toEqual(newest(together(all), count));
      }),
    );
  });

  it("is read back as it was written", () => {
    fc.assert(
      fc.property(joined, (list) => {
        const writer = new ByteWriter(16);
        list.write(writer);
        list.writeUnmarked(writer);
        const reader = new ByteReader(writer.finish());
        expect(DeadWrites.read(reader)).toEqual(list);
        expect(DeadWrites.readUnmarked(reader)).toEqual(list.allRead());
        expect([reader.failed, reader.remaining]).toEqual([false, 0]);
      }),
    );
  });

  it.each(["read", "readUnmarked"] as const)("is refused by %s unless its ids ascend", (read) => {
    const ids = (...texts: readonly string[]): boolean => {
      const writer = new ByteWriter(16);
      writer.varint(texts.length);
      for (const text of texts) {
        writer.hex(text.padEnd(32, "0"));
        writer.u48(startMs);
      }
      if (read === "read") writer.u8(0);
      const reader = new ByteReader(writer.finish());
      return DeadWrites[read](reader).size === texts.length && !reader.failed;
    };
    expect(ids("01", "02", "0201")).toBe(true);
    expect(ids("01", "0201", "02")).toBe(false);
    expect(ids("01", "02", "02")).toBe(false);
    expect(ids("ff", "01")).toBe(false);
  });
});

describe("lists of dead writes together", () => {
  it("are what a record remembers of all, and the first one if the others add nothing", () => {
    fc.assert(
      fc.property(joined, joined, writes, (left, right, more) => {
        const all = [...left.toArray(), ...right.toArray(), ...more];
        const both = joinDeadWrites(left, right, DeadWrites.of(more));
        expect(both.toArray()).toEqual(remembered(all));
        expect(joinDeadWrites(both, left, right)).toBe(both);
        expect(joinDeadWrites(both, DeadWrites.of(both.toArray()))).toBe(both);
        if (all.length > 0 && both.size === left.size) {
          const isSame = JSON.stringify(both.toArray()) === JSON.stringify(left.toArray());
          if (isSame) expect(both).toBe(left);
        }
      }),
    );
  });

  it("differ in what only one of them names", () => {
    fc.assert(
      fc.property(joined, joined, (left, right) => {
        const others = new Set(right.toArray().map((each) => each.writeId));
        const expected = left.toArray().filter((each) => !others.has(each.writeId));
        expect(deadWritesOnlyIn(left, right)).toEqual(expected);
      }),
    );
  });
});
