import type { AntiEntropyCounts } from "@coterie/cluster";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MeteredCluster, documentedMetrics, until } from "./metered-cluster.ts";
import { movedBetween } from "./scrape.ts";

const documented = documentedMetrics("coterie_anti_entropy_");
// What the others find out by themselves the first one does not.
const cluster = new MeteredCluster(3, (at) => ({
  nMax: 3,
  handoffBytes: 0,
  antiEntropyMs: at === 0 ? 60_000 : 0,
}));

beforeAll(() => cluster.start());
afterAll(() => cluster.stop());

it(
  "every metric of how alike copies are moves when what it counts happens",
  { timeout: 60_000 },
  async () => {
    const { node } = cluster.first;
    const counts = (): Readonly<AntiEntropyCounts> | undefined => node.antiEntropy()?.counts;
    const before = await cluster.scrape();
    cluster.away.add(cluster.addresses[2] as string);
    await cluster.put("key", { strict: true });
    expect(node.repair("all")).toMatchObject({ ok: true });
    await until(() => (counts()?.failed ?? 0) > 0);
    const during = await cluster.scrape();
    cluster.away.clear();
    await until(() => node.antiEntropy()?.repair?.state !== "running");
    expect(node.repair("all")).toMatchObject({ ok: true });
    await until(() => (counts()?.completed ?? 0) > 0 && (counts()?.keysExchanged ?? 0) > 0);
    const after = await cluster.scrape();
    const moved = new Set([...movedBetween(before, during), ...movedBetween(during, after)]);
    expect(documented.length).toBe(5);
    expect(documented.filter((name) => !moved.has(name))).toEqual([]);
  },
);
