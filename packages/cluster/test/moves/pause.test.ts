import { expect, it } from "vitest";
import type { Topology } from "../../src/index.ts";
import { SmallCluster, node, successful } from "../small-cluster.ts";
import { change, fill, offer, settle } from "./small-moves.ts";

function topologyAt(small: SmallCluster, at: number): Topology {
  const topology = small.at(at).topology();
  if (topology === undefined) throw new Error(`n${at} has not formed`);
  return topology;
}

/** A fourth node is a member, and gets nothing. */
async function paused(): Promise<SmallCluster> {
  const small = await SmallCluster.start();
  await fill(small, 1, 20);
  await offer(small, 4);
  successful(await small.until(topologyAt(small, 2).pause(true)));
  await change(small, 1, { join: [node(4)] });
  return small;
}

it("nothing is copied, nor changes hands, while moves are paused, and requests go on", async () => {
  const small = await paused();
  const { moves, epoch } = small.at(1).document() ?? {};
  await small.pass(60_000);
  expect(small.at(4).document()).toMatchObject({ moves, epoch, paused: true });
  expect(small.at(4).moves()?.counts).toEqual({
    arrived: 0,
    dropped: 0,
    keys: 0,
    bytes: 0,
    failed: 0,
  });
  expect(topologyAt(small, 3).view()).toMatchObject({ paused: true, moves: moves?.length });
  successful(await small.put(4, "k3", "new"));
  expect(await small.read(2, "k3")).toContain("new");
});

it("they stay paused when all nodes start again, until somebody resumes", async () => {
  const small = await paused();
  small.crash(1, 2, 3, 4);
  for (const number of [1, 2, 3, 4]) await small.restart(number);
  await small.pass(60_000);
  expect(small.at(4).moves()?.counts.keys).toBe(0);
  const resumed = await small.until(topologyAt(small, 3).pause(false));
  expect(resumed).toMatchObject({ ok: true });
  await settle(small, 1);
  expect(small.at(1).document()?.paused).toBeUndefined();
  expect(small.at(4).moves()?.counts.arrived).toBeGreaterThan(0);
});

it("what is under way is broken off, and what is done already is not lost by it", async () => {
  const small = await SmallCluster.start({ partitions: 16 });
  await fill(small, 1, 200);
  await offer(small, 4);
  await change(small, 1, { join: [node(4)] });
  await small.pass(60);
  successful(await small.until(topologyAt(small, 1).pause(true)));
  await small.pass(1000);
  const before = small.at(4).document();
  expect(before?.moves?.length).toBeGreaterThan(0);
  await small.pass(60_000);
  expect(small.at(4).document()).toEqual(before);
  const again = await small.until(topologyAt(small, 1).pause(true));
  expect(again).toMatchObject({ ok: true, epoch: before?.epoch });
  successful(await small.until(topologyAt(small, 2).pause(false)));
  await settle(small, 1);
});

it("paused moves can be given up, and their leftovers go once they go on", async () => {
  const small = await paused();
  successful(await small.until(topologyAt(small, 1).abort()));
  expect(small.at(1).document()?.moves).toBeUndefined();
  await small.pass(10_000);
  expect(small.at(1).document()?.leftovers?.length).toBeGreaterThan(0);
  successful(await small.until(topologyAt(small, 1).pause(false)));
  await settle(small, 1);
});
