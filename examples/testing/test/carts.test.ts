import { TestCluster } from "@coterie/testing";
import { expect, it, onTestFinished } from "vitest";
import { Carts } from "../src/carts.ts";

/** Three nodes, gone when the test is over. */
async function startCluster(seed: number = 1): Promise<TestCluster> {
  const cluster = await TestCluster.start({ nodes: 3, seed, buckets: ["carts"] });
  onTestFinished(() => cluster.close());
  return cluster;
}

it("keeps what two people add at once", async () => {
  const cluster = await startCluster();
  const [ann, bob] = [new Carts(cluster.client()), new Carts(cluster.client())];
  await Promise.all([ann.add("family", "apples"), bob.add("family", "bread")]);
  expect(await ann.items("family")).toEqual(["apples", "bread"]);
});

it("goes on when a node is killed, and keeps all when the power fails everywhere", async () => {
  const cluster = await startCluster();
  const carts = new Carts(cluster.client());
  await carts.add("family", "apples");
  cluster.crash("n1");
  await carts.add("family", "bread");
  cluster.crash("n2", "power");
  cluster.crash("n3", "power");
  for (const node of cluster.nodes) await cluster.restart(node);
  await cluster.advance(3000);
  expect(await carts.items("family")).toEqual(["apples", "bread"]);
});

it("keeps what was added while the network was split", async () => {
  const cluster = await startCluster();
  const carts = new Carts(cluster.client());
  await carts.add("family", "apples");
  cluster.partition(["n1", "clients"], ["n2", "n3"]);
  await expect(carts.add("family", "bread")).rejects.toMatchObject({ code: "timeout" });
  cluster.heal();
  await cluster.advance(5000);
  await carts.add("family", "coffee");
  expect(await carts.items("family")).toEqual(expect.arrayContaining(["apples", "coffee"]));
});

// Whatever is wrong only now and then is found by trying; the seed in the name replays it.
it.each(Array.from({ length: 20 }, (_, index) => index + 1))(
  "loses nothing under bad weather and crashes, seed %i",
  async (seed) => {
    const cluster = await startCluster(seed);
    cluster.weather({ lostPerThousand: 20, duplicatedPerThousand: 50, latencyMsMax: 20 });
    const items = Array.from({ length: 12 }, (_, index) => `item ${index}`);
    const added: string[] = [];
    const shopper = async (mine: readonly string[]): Promise<void> => {
      const carts = new Carts(cluster.client());
      for (const item of mine) {
        const isAdded = await carts.add("family", item).then(
          () => true,
          () => false,
        );
        if (isAdded) added.push(item);
      }
    };
    const breaker = async (): Promise<void> => {
      for (const node of cluster.nodes) {
        await cluster.advance(40);
        cluster.crash(node, "power");
        await cluster.advance(40);
        await cluster.restart(node);
      }
    };
    await Promise.all([shopper(items.slice(0, 6)), shopper(items.slice(6)), breaker()]);
    cluster.heal();
    await cluster.advance(5000);
    const carts = new Carts(cluster.client());
    expect(added.length).toBeGreaterThan(0);
    expect(await carts.items("family")).toEqual(expect.arrayContaining(added));
  },
);
