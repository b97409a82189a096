import { afterAll, beforeAll, expect, it } from "vitest";
import { MeteredCluster, until } from "./metered-cluster.ts";
import type { MeteredNode } from "./metered-node.ts";
import { parseScrape } from "./scrape.ts";

const cluster = new MeteredCluster(5, () => ({ nMax: 3 }));

async function value(node: MeteredNode, name: string): Promise<number | undefined> {
  return parseScrape((await node.metrics.render()).text).get(name);
}

beforeAll(() => cluster.start());
afterAll(() => cluster.stop());

it(
  "every metric of lost directories moves when what it counts happens",
  { timeout: 60_000 },
  async () => {
    const { first } = cluster;
    const last = cluster.at(4);
    expect(await value(first, "coterie_directories_replaced_total")).toBe(0);
    await last.node.stop();
    last.metrics.stop();
    cluster.away.add(cluster.addresses[3] as string);
    const returned = cluster.renew(4);
    expect(await returned.node.start()).toEqual({ ok: true });
    expect(await value(first, "coterie_directories_replaced_total")).toBe(1);
    // One of those that may have what was lost cannot be asked.
    expect(await value(returned, "coterie_refilling")).toBe(1);
    cluster.away.clear();
    await until(() => !returned.node.isRefilling);
    expect(await value(returned, "coterie_refilling")).toBe(0);
  },
);
