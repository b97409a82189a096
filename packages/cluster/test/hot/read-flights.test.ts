import { latin1, utf8 } from "@coterie/core";
import { expect, it } from "vitest";
import type { GetOutcome } from "../../src/index.ts";
import { SmallCluster, address, successful } from "../small-cluster.ts";

const place = { bucket: "default", key: utf8("k") };

function values(outcome: GetOutcome): readonly string[] {
  return successful(outcome).siblings.map(({ value }) => latin1(value));
}

it("a get sees a write that was acknowledged while another get was under way", async () => {
  const small = await SmallCluster.start();
  const { context } = successful(await small.put(1, "k", "old", { w: 3 }));
  const { network } = small.cluster;
  // The first get has asked, and been answered, before the write: its answers are on their way.
  network.hold(address(2), address(1));
  network.hold(address(3), address(1));
  const first = small.at(1).get(place, {});
  await small.pass(5);
  successful(await small.put(2, "k", "new", { context, w: 2 }));
  const second = small.at(1).get(place, {});
  await small.pass(5);
  network.release(address(2), address(1));
  network.release(address(3), address(1));
  expect(values(await small.until(first))).toEqual(["old"]);
  expect(values(await small.until(second))).toEqual(["new"]);
});

it("gets of one key that come together cost two reads", async () => {
  const small = await SmallCluster.start();
  successful(await small.put(1, "k", "v", { w: 3 }));
  const served = (): number =>
    [2, 3].reduce((sum, at) => sum + small.at(at).statistics().peerRequestsServed, 0);
  const before = served();
  const gets = Array.from({ length: 64 }, () => small.at(1).get(place, {}));
  const outcomes = await small.until(Promise.all(gets));
  expect(served() - before).toBe(2);
  expect(small.at(1).statistics().getsJoined).toBe(62);
  const contexts = new Set(outcomes.map((outcome) => successful(outcome).context));
  expect(contexts.size).toBe(1);
  for (const outcome of outcomes) expect(values(outcome)).toEqual(["v"]);
});

it("a get does not wait long behind one whose answers do not come", async () => {
  const small = await SmallCluster.start();
  successful(await small.put(1, "k", "v", { w: 3 }));
  const { network } = small.cluster;
  network.hold(address(2), address(1));
  network.hold(address(3), address(1));
  const first = small.at(1).get(place, { timeoutMs: 10_000 });
  const second = small.at(1).get(place, { timeoutMs: 10_000 });
  await small.pass(20);
  // What was asked for so far stays on its way; the second get asks anew, and is answered.
  network.overtake(address(2), address(1));
  network.overtake(address(3), address(1));
  expect(values(await small.until(second))).toEqual(["v"]);
  network.release(address(2), address(1));
  network.release(address(3), address(1));
  expect(values(await small.until(first))).toEqual(["v"]);
});
