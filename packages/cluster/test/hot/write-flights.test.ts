import { expect, it } from "vitest";
import { SmallCluster, address, successful } from "../small-cluster.ts";

it("puts of one key that come together cost each replica a few records", async () => {
  const small = await SmallCluster.start();
  const served = (): number =>
    [2, 3].reduce((sum, at) => sum + small.at(at).statistics().peerRequestsServed, 0);
  const before = served();
  const puts = Array.from({ length: 64 }, (_, at) => small.begin(1, "k", `v${at}`, { w: 3 }));
  for (const put of await small.until(Promise.all(puts))) successful(put);
  expect(served() - before).toBeLessThanOrEqual(2 * 32);
  expect(small.at(1).statistics().writesJoined).toBeGreaterThanOrEqual(2 * 32);
  const values = Array.from({ length: 64 }, (_, at) => `v${at}`).toSorted();
  for (const at of [1, 2, 3]) expect(await small.own(at, "k")).toEqual(values);
});

it("a put is no owner's alone while the record that speaks for it is under way", async () => {
  const small = await SmallCluster.start();
  const { network } = small.cluster;
  for (const at of [2, 3]) network.hold(address(1), address(at));
  const puts = Array.from({ length: 12 }, (_, at) => small.begin(1, "k", `v${at}`, { w: 2 }));
  let isOver = false;
  void Promise.race(puts).then(() => {
    isOver = true;
  });
  await small.pass(200);
  expect(isOver).toBe(false);
  for (const at of [2, 3]) network.release(address(1), address(at));
  for (const put of await small.until(Promise.all(puts))) successful(put);
});

it("a put does not wait long behind those whose answers do not come", async () => {
  const small = await SmallCluster.start();
  const { network } = small.cluster;
  network.hold(address(2), address(1));
  const begin = (value: string): ReturnType<typeof small.begin> =>
    small.begin(1, "k", value, { w: 3, timeoutMs: 10_000 });
  const first = Array.from("abcdefgh").map(begin);
  await small.pass(20);
  // What was sent so far stays unanswered; what is sent from now on is not.
  network.overtake(address(2), address(1));
  successful(await small.until(begin("i")));
  network.release(address(2), address(1));
  for (const put of await small.until(Promise.all(first))) successful(put);
  expect(await small.own(2, "k")).toEqual(Array.from("abcdefghi"));
});

it("a put that a joint record carries is owed to who does not acknowledge it", async () => {
  const small = await SmallCluster.start();
  const { network } = small.cluster;
  for (const at of [1, 2]) network.cut(address(at), address(3));
  const puts = Array.from({ length: 20 }, (_, at) =>
    small.begin(1, "k", `v${at}`, { w: 2, timeoutMs: 3000 }),
  );
  for (const put of await small.until(Promise.all(puts))) successful(put);
  network.heal();
  await small.pass(30_000);
  expect(await small.own(3, "k")).toHaveLength(20);
});
