import { expect, it } from "vitest";
import type { AskedChange, CommitOutcome, CoterieNode } from "../src/index.ts";
import { loneNode, usualSettings } from "./lone-node.ts";
import { SmallCluster, node, successful } from "./small-cluster.ts";

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
  ["partitions", { ...usualSettings, partitions: 16 }, "Start it with --partitions 8 --hash md5"],
  ["a hash", { ...usualSettings, hash: "redis-slots" as const }, "hash is md5 in the cluster"],
])("%s that a directory cannot have ends it, with the flags to give", async (_, settings, why) => {
  const small = await SmallCluster.start();
  const started = await small.until(loneNode(small, 4, { settings }).start());
  expect(started).toMatchObject({ ok: false, code: "not-formed" });
  expect(started.ok ? "" : started.message).toContain(why);
  expect(eventsAt(small, 1, "offered")).toEqual([]);
});

/** Has a change of the members planned and committed at a node, by the plan's hash. */
async function change(small: SmallCluster, at: number, asked: AskedChange): Promise<CommitOutcome> {
  const topology = small.at(at).topology();
  if (topology === undefined) throw new Error(`n${at} has not formed`);
  const planned = topology.plan(asked);
  if (!planned.ok) return planned;
  return small.until(topology.commit({ hash: planned.plan.hash }));
}

it("a newcomer is a member, and serves, once a plan that has it join is committed", async () => {
  const small = await SmallCluster.start();
  successful(await small.put(1, "k", "one", { w: 3 }));
  const lone = loneNode(small, 4);
  const started = lone.start();
  await small.pass(2000);
  expect(small.at(2).topology()?.view().offers).toMatchObject([{ member: { id: "n4" } }]);
  successful(await change(small, 2, { join: [node(4)] }));
  successful(await small.until(started));
  expect(lone.document()?.members.map(({ id }) => id)).toEqual(["n1", "n2", "n3", "n4"]);
  const { members, offers, moves } = small.at(3).topology()?.view() ?? {};
  expect(offers).toEqual([]);
  expect(moves).toBeGreaterThan(0);
  expect(members?.map(({ copiesAfter }) => copiesAfter)).toEqual([6, 6, 6, 6]);
  const again = small
    .at(1)
    .topology()
    ?.plan({ leave: [node(3)] });
  expect(again).toMatchObject({ ok: false, code: "under-way" });
});

it("an offer is forgotten half a minute after its node was heard last", async () => {
  const small = await SmallCluster.start();
  const lone = loneNode(small, 4);
  void lone.start();
  await small.pass(2000);
  await giveUp(small, lone);
  await small.pass(20_000);
  expect(small.at(1).topology()?.view().offers).toHaveLength(1);
  await small.pass(12_000);
  expect(small.at(1).topology()?.view().offers).toEqual([]);
  expect(await change(small, 1, { join: [node(4)] })).toMatchObject({ code: "no-such-node" });
});

it("a member that was removed while it was away is refused with its directory", async () => {
  const small = await SmallCluster.start({ nodes: 5 });
  small.crash(5);
  await small.pass(10_000);
  successful(await change(small, 1, { remove: [node(5)] }));
  expect(await small.until(small.cluster.startNode(node(5)))).toMatchObject({
    ok: false,
    code: "wrong-directory",
    message: expect.stringContaining("n5 is no member of its cluster any more"),
  });
});

it("a member that is removed while it runs ends", async () => {
  const small = await SmallCluster.start({ nodes: 5 });
  successful(await change(small, 1, { remove: [node(5)] }));
  await small.pass(5000);
  expect(eventsAt(small, 5, "gone")).toMatchObject([{ how: "removed" }]);
  // Whoever runs the process ends it then.
  expect(small.cluster.node(node(5))).toBeUndefined();
});
