import { expect, it } from "vitest";
import { CutLinks } from "../src/dev/cut-links.ts";

const ids = ["n1", "n2", "n3", "n4"];

it.each([
  ["one group from the rest", [["n1"]], false, "cut now: n1 | n2, n1 | n3, n1 | n4"],
  [
    "two sides",
    [
      ["n1", "n2"],
      ["n3", "n4"],
    ],
    false,
    "cut now: n1 | n3, n1 | n4, n2 | n3, n2 | n4",
  ],
  ["two nodes that others reach", [["n1"], ["n3"]], false, "cut now: n1 | n3"],
  ["three sides", [["n1"], ["n2"], ["n3"]], false, "cut now: n1 | n2, n1 | n3, n2 | n3"],
  ["one way", [["n3"], ["n1"]], true, "cut now: n3 -> n1"],
  ["nobody from the rest", [[]], false, "all links are whole"],
])("cuts %s", (_, groups, isOneWay, expected) => {
  const links = new CutLinks(ids);
  links.cut(groups, isOneWay);
  expect(links.describe()).toBe(expected);
});

it("tells each end its own half of a one-way cut", () => {
  const links = new CutLinks(ids);
  links.cut([["n1"], ["n2"]], true);
  expect(links.of("n1")).toEqual([{ id: "n2", to: true, from: false }]);
  expect(links.of("n2")).toEqual([{ id: "n1", to: false, from: true }]);
  expect(links.of("n3")).toEqual([]);
  expect([links.isCut("n2", "n1"), links.isCut("n1", "n3")]).toEqual([true, false]);
});

it("adds cuts up, and heals all of them or those of some nodes", () => {
  const links = new CutLinks(ids);
  links.cut([["n1"], ["n2"]], true);
  links.cut([["n2"], ["n1"]], true);
  links.cut([["n3"]], false);
  links.heal(["n3"]);
  expect(links.describe()).toBe("cut now: n1 | n2");
  links.heal([]);
  expect(links.describe()).toBe("all links are whole");
});
