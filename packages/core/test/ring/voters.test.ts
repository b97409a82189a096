import { expect, it } from "vitest";
import type { Departure, Member } from "../../src/ring/cluster-document.ts";
import { votersOf } from "../../src/ring/voters.ts";
import { documentOf, memberOf, membersOf, modestSettings } from "./members.ts";

const formed = documentOf(modestSettings(1, 1), membersOf(1));

function votersAmong(members: readonly Member[]): readonly string[] {
  return votersOf({ ...formed, members }).map(({ id }) => id);
}

function departing(numbers: readonly number[], departure: Departure, count: number) {
  return membersOf(count).map((member, at) =>
    numbers.includes(at + 1) ? { ...member, departure } : member,
  );
}

function countsBy(label: "host" | "zone", members: readonly Member[]): readonly number[] {
  const counts = new Map<string, number>();
  for (const { [label]: name } of votersOf({ ...formed, members })) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts.values()].toSorted((left, right) => right - left);
}

it.each([1, 3, 6, 7])("all of %i members vote", (count) => {
  expect(votersAmong(membersOf(count))).toHaveLength(count);
});

it("the first seven by id vote where hosts and zones tell nothing apart", () => {
  const first = ["n01", "n02", "n03", "n04", "n05", "n06", "n07"];
  expect(votersAmong(membersOf(20))).toEqual(first);
  expect(votersAmong(membersOf(20).map((member) => ({ ...member, host: "one" })))).toEqual(first);
});

it("no zone has a majority of the voters where there are three, nor has a host", () => {
  const zoned = Array.from({ length: 18 }, (_, at) =>
    memberOf(at + 1, { zone: `z${Math.floor(at / 6)}`, host: `h${Math.floor(at / 2)}` }),
  );
  expect(countsBy("zone", zoned)).toEqual([3, 2, 2]);
  expect(countsBy("host", zoned)).toEqual([1, 1, 1, 1, 1, 1, 1]);
  const crowded = membersOf(18).map((member, at) => ({
    ...member,
    host: `h${Math.floor(at / 6)}`,
  }));
  expect(countsBy("host", crowded)).toEqual([3, 2, 2]);
});

it("who leaves votes only where there are too few others, and who was removed never", () => {
  const others = ["n02", "n03", "n04", "n05", "n06", "n07", "n08"];
  expect(votersAmong(departing([1], "leaving", 8))).toEqual(others);
  expect(votersAmong(departing([1], "leaving", 3))).toEqual(["n01", "n02", "n03"]);
  expect(votersAmong(departing([1], "removed", 3))).toEqual(["n02", "n03"]);
});
