import { expect, it } from "vitest";
import { follow, inTurns, simulate } from "./simulated-client.ts";

const nodesOf = (clusterNodes: number): readonly string[] =>
  Array.from({ length: clusterNodes }, (_, at) => `n${at + 1}`);

it("sends the writes of a key to its first primary, once the layout is known", async () => {
  const { clock, cluster, coterie } = simulate({ clusterNodes: 5 });
  follow(clock, coterie.get("warm"));
  await clock.advance(50);
  for (let at = 0; at < 40; at += 1) {
    const before = nodesOf(5).map((node) => cluster.requests(node));
    follow(clock, coterie.put(`k${at}`, "1"));
    follow(clock, coterie.put(`k${at}`, "2"));
    await clock.advance(10);
    const asked = nodesOf(5).filter((node, index) => cluster.requests(node) !== before[index]);
    expect(asked).toHaveLength(1);
  }
});

it("spreads the reads of a key over its primaries", async () => {
  const { clock, cluster, coterie } = simulate({ clusterNodes: 5 });
  follow(clock, coterie.get("warm"));
  await clock.advance(50);
  const before = nodesOf(5).map((node) => cluster.requests(node));
  await inTurns(clock, 30, () => coterie.get("one"));
  const asked = nodesOf(5).map((node, at) => cluster.requests(node) - (before[at] ?? 0));
  expect(asked.toSorted((left, right) => left - right)).toEqual([0, 0, 10, 10, 10]);
});

it("sends the requests of a turn to one node, up to so many, whosever keys they are", async () => {
  const { clock, cluster, coterie } = simulate({ clusterNodes: 3 });
  await inTurns(clock, 30, (at) => coterie.get(`warm${at}`));
  /** How many of a hundred each node gets, most first. */
  const shares = async (begin: (at: number) => Promise<unknown>): Promise<readonly number[]> => {
    const before = nodesOf(3).map((node) => cluster.requests(node));
    for (let at = 0; at < 100; at += 1) follow(clock, begin(at));
    await clock.advance(50);
    const asked = nodesOf(3).map((node, at) => cluster.requests(node) - (before[at] ?? 0));
    return asked.toSorted((left, right) => right - left);
  };
  const get = (at: number): Promise<unknown> => coterie.get(`k${at}`);
  const put = (at: number): Promise<unknown> => coterie.put(`k${at}`, "v");
  for (const begin of [get, put]) {
    const [most = 0, second, third] = await shares(begin);
    // Some may still take their turn at the node that has 64.
    expect(most).toBeGreaterThanOrEqual(64);
    expect(most).toBeLessThan(72);
    expect([second, third]).toEqual([100 - most, 0]);
  }
  // A message that is large anyway has nothing to share.
  const large = "x".repeat(30_000);
  const [most] = await shares((at) => coterie.put(`l${at}`, large));
  expect(most).toBeLessThan(50);
});

it("finds the other nodes through the one that it was given", async () => {
  const { clock, cluster, coterie } = simulate({ clusterNodes: 4, nodes: ["n1.fake:1"] });
  follow(clock, coterie.get("warm"));
  await clock.advance(50);
  for (let at = 0; at < 60; at += 1) follow(clock, coterie.get(`k${at}`));
  await clock.advance(50);
  for (const node of cluster.nodes) expect(cluster.requests(node)).toBeGreaterThan(0);
});

it("hears of a node that joins, and sends it what it owns", async () => {
  const { clock, cluster, coterie } = simulate({ clusterNodes: 3 });
  follow(clock, coterie.get("warm"));
  await clock.advance(50);
  const joined = cluster.join();
  await clock.advance(31_000);
  follow(clock, coterie.get("again"));
  await clock.advance(50);
  await inTurns(clock, 60, (at) => coterie.put(`k${at}`, "v"));
  expect(cluster.requests(joined)).toBeGreaterThan(0);
});

it("asks any node while the primaries are gone", async () => {
  const { clock, cluster, coterie } = simulate({ clusterNodes: 4 });
  follow(clock, coterie.get("warm"));
  await clock.advance(50);
  cluster.kill("n1");
  cluster.kill("n2");
  const gets = Array.from({ length: 40 }, (_, at) => follow(clock, coterie.get(`k${at}`)));
  await clock.advance(1000);
  expect(gets.filter(({ value }) => value !== undefined)).toHaveLength(40);
});

it("makes one message of what one turn asks of a node", async () => {
  const { clock, coterie } = simulate({ clusterNodes: 1 });
  const gets = Array.from({ length: 1000 }, (_, at) => follow(clock, coterie.get(`k${at}`)));
  await clock.advance(10);
  expect(gets.every(({ value }) => value?.kind === "absent")).toBe(true);
});
