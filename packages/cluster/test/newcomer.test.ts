import { expect, it } from "vitest";
import type { CoterieNode } from "../src/index.ts";
import { loneNode, usualSettings } from "./lone-node.ts";
import { SmallCluster, node } from "./small-cluster.ts";

function eventsAt(small: SmallCluster, number: number, kind: string): readonly unknown[] {
  return small.cluster.events
    .filter(({ node: at, event }) => at === node(number) && event.kind === kind)
    .map(({ event }) => event);
}

/** Ends a node that waits to be made a member. */
async function giveUp(small: SmallCluster, lone: CoterieNode): Promise<void> {
  await small.until(lone.stop());
}

it("a node that the cluster does not know offers itself, and all members know of it", async () => {
  const small = await SmallCluster.start();
  const settings = { ...usualSettings, nMax: 1, buckets: [] };
  const lone = loneNode(small, 4, { settings });
  const started = lone.start();
  await small.pass(5000);
  const { clusterId } = small.at(1).document() ?? {};
  expect(lone.missing()).toEqual([
    `n4 offers itself to cluster ${clusterId}: accept with coterie plan join n4`,
  ]);
  for (const number of [1, 2, 3]) {
    expect(eventsAt(small, number, "offered")).toEqual([
      { kind: "offered", id: "n4", address: "n4" },
    ]);
  }
  expect(small.at(1).document()?.epoch).toBe(1);
  await giveUp(small, lone);
  expect(await small.until(started)).toMatchObject({ ok: false, code: "not-formed" });
});

it.each([
  ["partitions", { ...usualSettings, partitions: 16 }, "start it with --partitions 8 --hash md5"],
  ["a hash", { ...usualSettings, hash: "redis-slots" as const }, "hash is md5 in the cluster"],
])("%s that a directory cannot have ends it, with the flags to give", async (_, settings, why) => {
  const small = await SmallCluster.start();
  const started = await small.until(loneNode(small, 4, { settings }).start());
  expect(started).toMatchObject({ ok: false, code: "not-formed" });
  expect(started.ok ? "" : started.message).toContain(why);
  expect(eventsAt(small, 1, "offered")).toEqual([]);
});
