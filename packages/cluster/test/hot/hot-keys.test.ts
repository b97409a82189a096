import { latin1, utf8 } from "@coterie/core";
import { expect, it } from "vitest";
import type { HotKeys, HotView } from "../../src/index.ts";
import { mergeTables } from "../../src/hot/merge-tables.ts";
import { SmallCluster, successful } from "../small-cluster.ts";

function hotKeysAt(small: SmallCluster, at: number): HotKeys {
  const found = small.at(at).hotKeys();
  if (found === undefined) throw new Error(`n${at} has not formed`);
  return found;
}

function names(view: HotView, of: "reads" | "writes"): readonly string[] {
  return view[of].keys.map(({ key }) => latin1(key));
}

it("counts what clients ask any member for, each request once", async () => {
  const small = await SmallCluster.start({ nodes: 5 });
  for (const at of [1, 2, 3, 4, 5]) {
    successful(await small.put(at, `own-${at}`, "v"));
    for (let count = 0; count < 3; count += 1) successful(await small.put(at, "hot", "v"));
    for (let count = 0; count < 2; count += 1) successful(await small.get(at, "read"));
    successful(await small.delete(at, "read"));
  }
  const view = await small.until(hotKeysAt(small, 4).view(3));
  expect(view.answered).toEqual(["n1", "n2", "n3", "n4", "n5"]);
  expect(view.silent).toEqual([]);
  expect(names(view, "reads")).toEqual(["read"]);
  expect(names(view, "writes").slice(0, 2)).toEqual(["hot", "read"]);
  expect(names(view, "writes").length).toBe(3);
  // Fifteen of twenty-five, whoever passed them on to whom.
  expect((view.writes.keys[0]?.perSecond ?? 0) / view.writes.perSecond).toBeCloseTo(15 / 25, 2);
});

it("names the members that did not say what they counted", async () => {
  const small = await SmallCluster.start();
  successful(await small.get(1, "k"));
  small.crash(3);
  const view = await small.until(hotKeysAt(small, 1).view(10));
  expect(view.answered).toEqual(["n1", "n2"]);
  expect(view.silent).toEqual(["n3"]);
  expect(names(view, "reads")).toEqual(["k"]);
});

it("adds up what is told, and what may be missing", () => {
  const hot = (key: string, perSecond: number): HotView["reads"]["keys"][number] => {
    return { bucket: "default", key: utf8(key), perSecond, errorPerSecond: 1 };
  };
  const one = { perSecond: 100, floorPerSecond: 4, keys: [hot("a", 50), hot("b", 20)] };
  const two = { perSecond: 90, floorPerSecond: 2, keys: [hot("b", 40), hot("c", 9)] };
  expect(mergeTables([one, two], 2)).toEqual({
    perSecond: 190,
    floorPerSecond: 4 + 2 + 9,
    keys: [{ ...hot("b", 60), errorPerSecond: 2 }, hot("a", 50)],
  });
});
