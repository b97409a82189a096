import { utf8 } from "@coterie/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MeteredCluster } from "./metered-cluster.ts";
import { movedBetween } from "./scrape.ts";

const cluster = new MeteredCluster(3, () => ({ nMax: 3 }));

beforeAll(() => cluster.start());
afterAll(() => cluster.stop());

it("reads that do not wait for the disk of their own node move", async () => {
  const before = await cluster.scrape();
  cluster.first.disk.syncDelayMs = 60;
  for (let at = 0; at < 10; at += 1) {
    const written = cluster.put("k", {});
    await cluster.first.node.get({ bucket: "default", key: utf8("k") }, {});
    expect(await written).toMatchObject({ ok: true });
  }
  const moved = movedBetween(before, await cluster.scrape());
  expect(moved).toContain("coterie_reads_past_own_total");
});
