import { DeadWrites, type ActorId, Ring, VersionVector, encodeRecord, utf8 } from "@coterie/core";
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
  for (const at of [0, 1, 2]) await mergeWide(at);
  await until(() => (node.reaping()?.blockers.length ?? 0) > 0);
  const blocked = await cluster.scrape();
  cluster.away.clear();
  await until(() => node.reaping()?.tombstones === 0 && node.reaping()?.wide === 0);
  const after = await cluster.scrape();
  const moved = new Set([
    ...movedBetween(before, deleted),
    ...movedBetween(deleted, blocked),
    ...movedBetween(blocked, after),
  ]);
  expect(documented.length).toBe(5);
  expect(documented.filter((name) => !moved.has(name))).toEqual([]);
});

/** Has a node hold a record whose clock names the actors of six lifetimes. */
async function mergeWide(at: number): Promise<void> {
  const { node } = cluster.at(at);
  const document = node.document();
  if (document === undefined) throw new Error("the cluster has not formed");
  const dots = ["1", "2", "3", "4", "5", "6"].map((digit) => {
    return { actor: digit.repeat(16) as ActorId, counter: 1 };
  });
  const value = {
    dots: dots.slice(0, 1),
    value: utf8("x"),
    contentType: "",
    writtenAt: { wallMs: 1, logical: 0 },
    writeId: undefined,
    expiresAtMs: undefined,
  };
  const record = encodeRecord(
    { bucket: "default", key: utf8("worn") },
    { clock: VersionVector.of(dots), siblings: [value], deadWrites: DeadWrites.none },
  );
  const { stamp } = new Ring(document);
  const deadline = Number.MAX_SAFE_INTEGER as never;
  const request = { kind: "merge", stamp, record, fence: 1_000_000 } as const;
  const answer = await new Promise((resolve) => node.receive(request, deadline, resolve));
  expect(answer).toMatchObject({ kind: "merged" });
}
