import { utf8 } from "@coterie/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MeteredCluster, documentedMetrics, until } from "./metered-cluster.ts";
import { movedBetween } from "./scrape.ts";

const documented = documentedMetrics("coterie_reaping_");
const cluster = new MeteredCluster(3, () => ({ nMax: 3, reapAfterMs: 200 }));

beforeAll(() => cluster.start());
afterAll(() => cluster.stop());

it("every metric of reaping moves when what it counts happens", { timeout: 60_000 }, async () => {
  const { node } = cluster.first;
  const before = await cluster.scrape();
  for (let number = 0; number < 40; number += 1) {
    const name = `key-${number}`;
    await cluster.put(name, { w: 3 });
    await node.delete({ bucket: "default", key: utf8(name) }, undefined, { w: 3, r: 3 });
  }
  const deleted = await cluster.scrape();
  cluster.away.add(cluster.addresses[2] as string);
  await until(() => (node.reaping()?.blockers.length ?? 0) > 0);
  const blocked = await cluster.scrape();
  cluster.away.clear();
  await until(() => node.reaping()?.tombstones === 0);
  const after = await cluster.scrape();
  const moved = new Set([
    ...movedBetween(before, deleted),
    ...movedBetween(deleted, blocked),
    ...movedBetween(blocked, after),
  ]);
  expect(documented.length).toBe(3);
  expect(documented.filter((name) => !moved.has(name))).toEqual([]);
});
