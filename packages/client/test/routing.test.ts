import { expect, it } from "vitest";
import type { PutOptions } from "../src/index.ts";
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

/** A client that is connected to all three nodes, and which of them requests then go to. */
async function connected(): Promise<{
  readonly begin: (key: string, options?: PutOptions, value?: string) => void;
  readonly read: (key: string) => void;
  /** How many requests of a turn each node gets. */
  readonly asked: (turn: () => void) => Promise<readonly number[]>;
}> {
  const { clock, cluster, coterie } = simulate({ clusterNodes: 3 });
  await inTurns(clock, 30, (at) => coterie.get(`warm${at}`));
  return {
    begin: (key, options, value = "v") => void follow(clock, coterie.put(key, value, options)),
    read: (key) => void follow(clock, coterie.get(key)),
    asked: async (turn) => {
      const before = nodesOf(3).map((node) => cluster.requests(node));
      turn();
      await clock.advance(50);
      return nodesOf(3).map((node, at) => cluster.requests(node) - (before[at] ?? 0));
    },
  };
}

it("sends the requests of a turn to one node, up to so many, whosever keys they are", async () => {
  const { asked, begin, read } = await connected();
  const hundred = (each: (at: number) => void) => (): void => {
    for (let at = 0; at < 100; at += 1) each(at);
  };
  const sorted = async (turn: () => void): Promise<readonly number[]> =>
    (await asked(turn)).toSorted((left, right) => right - left);
  for (const each of [read, begin]) {
    const [most = 0, second, third] = await sorted(hundred((at) => each(`k${at}`)));
    // One or two may still begin with the node that has 64.
    expect(most).toBeGreaterThanOrEqual(64);
    expect(most).toBeLessThan(72);
    expect([second, third]).toEqual([100 - most, 0]);
  }
  // A message that is large anyway has nothing to share.
  const large = "x".repeat(30_000);
  const [most = 100] = await sorted(hundred((at) => begin(`l${at}`, {}, large)));
  expect(most).toBeLessThan(64);
});

it("sends every create to its key's first primary, wherever other requests go", async () => {
  const { asked, begin } = await connected();
  for (let at = 0; at < 20; at += 1) {
    const create = (): void => begin(`c${at}`, { ifAbsent: true });
    const other = (): void => begin(`other${at}`);
    const alone = [await asked(create), await asked(other)];
    const both = await asked(() => {
      other();
      create();
    });
    expect(both).toEqual(both.map((_, node) => (alone[0]?.[node] ?? 0) + (alone[1]?.[node] ?? 0)));
  }
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
