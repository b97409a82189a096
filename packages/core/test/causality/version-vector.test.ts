import { describe, expect, it } from "vitest";
import { type ActorId, VectorClock } from "../../src/index.ts";

const n1 = "0000000000000001" as ActorId;
const n2 = "0000000000000002" as ActorId;

const clock = (entries: Readonly<Record<string, number>>): VectorClock =>
  VectorClock.of(
    Object.entries(entries).map(([actor, counter]) => ({ actor: actor as ActorId, counter })),
  );

describe("a vector clock", () => {
  it("behaviour 1: increment counts per id", () => {
    const counted = VectorClock.empty.increment(n1).increment(n2).increment(n1);
    expect([counted.get(n1), counted.get(n2), counted.size]).toEqual([2, 1, 2]);
  });

  it("behaviour 2: a clock that is ahead in one entry descends, not the reverse", () => {
    const ahead = clock({ [n1]: 2, [n2]: 1 });
    const behind = clock({ [n1]: 1, [n2]: 1 });
    expect([ahead.descends(behind), behind.descends(ahead)]).toEqual([true, false]);
    expect([ahead.compare(behind), behind.compare(ahead)]).toEqual(["after", "before"]);
  });

  it("behaviour 3: equal clocks descend each other, and are neither before nor after", () => {
    const [left, right] = [clock({ [n1]: 1, [n2]: 3 }), clock({ [n2]: 3, [n1]: 1 })];
    expect([left.descends(right), right.descends(left)]).toEqual([true, true]);
    expect(left.compare(right)).toBe("equal");
  });

  it("behaviour 4: every clock descends the empty one, never the reverse", () => {
    const some = clock({ [n2]: 1 });
    expect(some.descends(VectorClock.empty)).toBe(true);
    expect(VectorClock.empty.descends(some)).toBe(false);
    expect(VectorClock.empty.compare(VectorClock.empty)).toBe("equal");
  });

  it("behaviour 5: clocks of two ids conflict, and a clock never conflicts with itself", () => {
    const [left, right] = [clock({ [n1]: 1 }), clock({ [n2]: 1 })];
    expect([left.conflicts(right), right.conflicts(left)]).toEqual([true, true]);
    expect([left.conflicts(left), left.conflicts(left.copy())]).toEqual([false, false]);
  });

  it("behaviour 6: merge is the pointwise maximum and leaves its inputs unchanged", () => {
    const [left, right] = [clock({ [n1]: 3, [n2]: 1 }), clock({ [n1]: 2, [n2]: 5 })];
    expect(left.merge(right).toString()).toBe(`{${n1}:3, ${n2}:5}`);
    expect(left.toString()).toBe(`{${n1}:3, ${n2}:1}`);
    expect(right.toString()).toBe(`{${n1}:2, ${n2}:5}`);
  });

  it("merge returns a clock that it was given when the other adds nothing", () => {
    const [less, more] = [clock({ [n1]: 1 }), clock({ [n1]: 2, [n2]: 1 })];
    expect(more.merge(less)).toBe(more);
    expect(less.merge(more)).toBe(more);
  });

  it("behaviour 7: a copy is deep: changing one leaves the other", () => {
    const original = clock({ [n1]: 1 });
    const copy = original.copy();
    expect(copy.compare(original)).toBe("equal");
    expect(copy).not.toBe(original);
    expect(copy.increment(n1).get(n1)).toBe(2);
    expect([copy.get(n1), original.get(n1)]).toEqual([1, 1]);
  });
});
