import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { NodeId } from "../../src/ids.ts";
import { Membership } from "../../src/membership/membership.ts";
import { type News, compareNews } from "../../src/membership/news.ts";
import { membershipDefaults } from "../../src/membership/settings.ts";
import { FewMembers, known, sequenceOf } from "./few-members.ts";

const names = ["a", "b", "c", "d"];

const anyNews: fc.Arbitrary<News> = fc.record({
  id: fc.constantFrom(...names.slice(1)) as fc.Arbitrary<NodeId>,
  state: fc.constantFrom("alive", "suspect", "dead", "left"),
  incarnation: fc.nat({ max: 3 }),
  by: fc.constantFrom(...names) as fc.Arbitrary<NodeId>,
  ageMs: fc.constant(0),
});

function tableAfter(told: readonly News[]): readonly unknown[] {
  const random = sequenceOf(5);
  const machine = new Membership({ self: known("a"), settings: membershipDefaults, random });
  machine.admit(names.map(known), 1, 0);
  const header = { from: "b" as NodeId, to: "a" as NodeId, incarnation: 0, epoch: 1 };
  for (const news of told) {
    machine.receive({ ...header, news: [news], body: { kind: "gossip" } }, 1);
  }
  return machine.members().map(({ id, incarnation, state }) => {
    // Held for flapping or not, heard of or not: that is each node's own.
    return [id, incarnation, state === "unknown" || state === "suspect" ? "up" : state];
  });
}

it("statements about one member are totally ordered", () => {
  fc.assert(
    fc.property(anyNews, anyNews, anyNews, (one, other, third) => {
      expect(Math.sign(compareNews(one, other))).toBe(-Math.sign(compareNews(other, one)) + 0);
      if (compareNews(one, other) >= 0 && compareNews(other, third) >= 0) {
        expect(compareNews(one, third)).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});

it("nodes that heard the same, in whatever order and however often, hold the same", () => {
  const told = fc
    .array(anyNews, { maxLength: 12 })
    .chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 }),
      ),
    );
  fc.assert(
    fc.property(told, ([all, shuffledTwice]) => {
      const up = (rows: readonly unknown[]): unknown =>
        JSON.stringify(rows).replaceAll("alive", "up");
      expect(up(tableAfter(shuffledTwice))).toEqual(up(tableAfter(all)));
    }),
  );
});

it("whatever was cut, stopped or restarted, all take all for alive once it is over", () => {
  const strike = fc.record({
    kind: fc.constantFrom("cut", "stop", "restart", "resume", "mend"),
    who: fc.constantFrom(...names),
    other: fc.constantFrom(...names),
    ms: fc.integer({ min: 0, max: 20_000 }),
  });
  fc.assert(
    fc.property(fc.array(strike, { maxLength: 12 }), (strikes) => {
      const members = new FewMembers(names);
      for (const { kind, who, other, ms } of strikes) {
        if (kind === "cut") members.cut(who, other);
        else if (kind === "stop") members.stop(who);
        else if (kind === "restart") members.start(who);
        else if (kind === "resume") members.resume(who);
        else members.mend();
        members.run(ms);
      }
      members.mend();
      for (const name of names) members.resume(name);
      // Two pings to the dead, a comparison, and the longest hold for flapping.
      members.run(70_000);
      for (const on of names) {
        expect(names.map((name) => members.stateOf(name, on))).toEqual(names.map(() => "alive"));
      }
      expect(new Set(names.map((name) => members.machine(name).digest)).size).toBe(1);
    }),
    { numRuns: 25 },
  );
});
