import { utf8 } from "@coterie/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MeteredCluster } from "./metered-cluster.ts";
import { movedBetween } from "./scrape.ts";

const cluster = new MeteredCluster(2, () => ({}));
const hot = { bucket: "default", key: utf8("hot") };

beforeAll(() => cluster.start());
afterAll(() => cluster.stop());

it("gets that share reads, and the share of the key asked for most, move", async () => {
  const { node } = cluster.first;
  const before = await cluster.scrape();
  await cluster.put("hot", {});
  await cluster.put("other", {});
  await Promise.all([node.get(hot, {}), node.get(hot, {}), node.get(hot, {})]);
  const after = await cluster.scrape();
  const moved = movedBetween(before, after);
  expect(moved).toContain("coterie_hot_key_share");
  expect(moved).toContain("coterie_gets_joined_total");
  // One read was begun by the first, one by the second for itself and the third.
  expect(after.get("coterie_gets_joined_total")).toBe(1);
  expect(after.get('coterie_hot_key_share{operation="read"}')).toBeCloseTo(1, 5);
  expect(after.get('coterie_hot_key_share{operation="write"}')).toBeCloseTo(0.5, 2);
});
