import type { MembershipMessage, NodeId } from "@coterie/core";
import { expect, it } from "vitest";
import type { PeerResponse } from "../src/index.ts";
import { SmallCluster, address, node, successful } from "./small-cluster.ts";

function stateOf(small: SmallCluster, number: number, on: number): string | undefined {
  const members = small.at(on).membership()?.members;
  return members?.find(({ id }) => id === node(number))?.state;
}

/** Lets virtual time pass until that is so. */
async function until(small: SmallCluster, isSo: () => boolean): Promise<void> {
  while (!isSo()) await small.pass(100);
}

it("notices a crash, spreads it, and takes the node back", async () => {
  const small = await SmallCluster.start({ nodes: 5 });
  await until(small, () => [1, 2, 4, 5].every((on) => stateOf(small, 3, on) === "alive"));
  small.crash(3);
  await until(small, () => [1, 2, 4, 5].every((on) => stateOf(small, 3, on) === "suspect"));
  await until(small, () => [1, 2, 4, 5].every((on) => stateOf(small, 3, on) === "dead"));
  await small.restart(3);
  await until(small, () => [1, 2, 3, 4, 5].every((on) => stateOf(small, 3, on) === "alive"));
  const { counts, convergence } = small.at(1).membership() ?? {};
  expect(counts?.deaths).toBe(1);
  expect(convergence?.counts.reduce((sum, count) => sum + count, 0)).toBe(1);
});

it("says goodbye when it stops in order: nobody suspects it", async () => {
  const small = await SmallCluster.start();
  await small.pass(2000);
  await small.stop(2);
  await small.pass(10_000);
  expect([stateOf(small, 2, 1), stateOf(small, 2, 3)]).toEqual(["left", "left"]);
  expect(small.at(1).membership()?.counts.suspicions).toBe(0);
  await small.restart(2);
  await until(small, () => stateOf(small, 2, 1) === "alive" && stateOf(small, 2, 3) === "alive");
});

it("stops in time when nobody hears its goodbye", async () => {
  const small = await SmallCluster.start();
  small.cluster.network.partition([address(2)], [address(1), address(3)]);
  const before = small.world.nowMs;
  await small.until(small.at(2).stop());
  expect(small.world.nowMs - before).toBeLessThan(2000);
});

it("asks a suspect last, and still asks it where it must answer", async () => {
  const small = await SmallCluster.start();
  successful(await small.put(1, "k", "v", { w: 3 }));
  small.cluster.pause(node(3));
  await until(small, () => stateOf(small, 3, 1) === "suspect");
  for (let count = 0; count < 20; count += 1) {
    const before = small.world.nowMs;
    expect(await small.read(1, "k", { r: 2 })).toEqual(["v"]);
    // Nobody waited for the silent one, and then asked another.
    expect(small.world.nowMs - before).toBeLessThan(30);
  }
  const reading = small.at(1).get({ bucket: "default", key: Uint8Array.of(107) }, { r: 3 });
  await small.pass(200);
  small.cluster.resume(node(3));
  expect((await small.until(reading)).ok).toBe(true);
});

it("probes a peer at once whose stream broke", async () => {
  const small = await SmallCluster.start();
  await small.pass(2000);
  const before = small.at(1).membership()?.counts.probes ?? 0;
  small.at(1).doubt(address(3));
  expect(small.at(1).membership()?.counts.probes).toBe(before + 1);
  small.at(1).doubt(address(9));
  expect(small.at(1).membership()?.counts.probes).toBe(before + 1);
});

it("refuses what a node of another cluster says", async () => {
  const small = await SmallCluster.start();
  const message: MembershipMessage = {
    from: "n2" as NodeId,
    to: "n1" as NodeId,
    incarnation: 0,
    epoch: 1,
    news: [],
    body: { kind: "ping", sequence: 1 },
  };
  let answer: PeerResponse | undefined;
  const one = small.at(1);
  one.receive({ kind: "membership", cluster: 1, message }, 0, (response) => (answer = response));
  expect(answer).toMatchObject({ kind: "refused", code: "other-cluster" });
  expect(small.cluster.events.at(-1)?.event).toMatchObject({ kind: "peer-refused" });
});
