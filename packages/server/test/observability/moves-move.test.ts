import type { NodeId } from "@coterie/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MeteredCluster, documentedMetrics, until } from "./metered-cluster.ts";
import { movedBetween } from "./scrape.ts";

const documented = documentedMetrics("coterie_moves_");
const cluster = new MeteredCluster(4, () => ({ nMax: 2 }));

beforeAll(() => cluster.start());
afterAll(() => cluster.stop());

/** Has the first node hold more of all there is, or less. */
async function weigh(weight: number): Promise<void> {
  const topology = cluster.first.node.topology();
  const planned = topology?.plan({ set: [{ id: "n1" as NodeId, weight }] });
  if (planned?.ok !== true) throw new Error(planned?.message);
  expect(await topology?.commit({ hash: planned.plan.hash })).toMatchObject({ ok: true });
}

it("every metric of moves moves when what it counts happens", { timeout: 60_000 }, async () => {
  const { node } = cluster.first;
  const away = (): void => void cluster.away.add(cluster.addresses[3] as string);
  const scrapes = [await cluster.scrape()];
  for (let number = 0; number < 40; number += 1) await cluster.put(`key-${number}`, { w: 2 });
  away();
  await weigh(3);
  await until(() => (node.moves()?.counts.failed ?? 0) > 0);
  scrapes.push(await cluster.scrape());
  cluster.away.clear();
  const isSettled = (): boolean => {
    const { moves = [], leftovers = [] } = node.document() ?? {};
    return moves.length === 0 && leftovers.length === 0;
  };
  await until(isSettled);
  scrapes.push(await cluster.scrape());
  await weigh(1);
  await until(() => (node.moves()?.leftover ?? 0) > 0);
  expect(await node.topology()?.pause(true)).toMatchObject({ ok: true });
  scrapes.push(await cluster.scrape());
  expect(await node.topology()?.pause(false)).toMatchObject({ ok: true });
  await until(isSettled);
  scrapes.push(await cluster.scrape());
  const moved = new Set(
    scrapes
      .slice(1)
      .flatMap((after, at) => [...movedBetween(scrapes[at] as (typeof scrapes)[number], after)]),
  );
  expect(documented.length).toBe(9);
  expect(documented.filter((name) => !moved.has(name))).toEqual([]);
});
