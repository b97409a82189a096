import type { PeerAddress } from "@coterie/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MeteredCluster, documentedMetrics, until } from "./metered-cluster.ts";
import { movedBetween } from "./scrape.ts";

const documented = documentedMetrics("coterie_handoff_");
const cluster = new MeteredCluster(3, () => ({ nMax: 3 }));

beforeAll(() => cluster.start());
afterAll(() => cluster.stop());

it(
  "every metric of what is owed moves when what it counts happens",
  { timeout: 60_000 },
  async () => {
    const { node } = cluster.first;
    const target = cluster.addresses[2] as PeerAddress;
    const before = await cluster.scrape();
    cluster.away.add(target);
    // More than the thousand keys of which a node of these tests remembers half for one other.
    for (let number = 0; number < 600; number += 1) {
      await cluster.put(`key-${number}`, { strict: true });
    }
    const owes = (): number => node.handoff()?.debts.length ?? 0;
    await until(() => owes() > 0 && (node.handoff()?.counts.failed.missed ?? 0) > 0);
    const during = await cluster.scrape();
    cluster.away.clear();
    node.returned(target);
    await until(() => owes() === 0);
    const after = await cluster.scrape();
    const moved = new Set([...movedBetween(before, during), ...movedBetween(during, after)]);
    expect(documented.length).toBeGreaterThan(7);
    expect(documented.filter((name) => !moved.has(name))).toEqual([]);
  },
);
