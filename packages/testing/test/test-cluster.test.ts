import { CoterieError, text } from "@coterie/client";
import { describe, expect, it, onTestFinished } from "vitest";
import { TestCluster, type TestClusterOptions } from "../src/index.ts";

async function startCluster(options?: TestClusterOptions): Promise<TestCluster> {
  const cluster = await TestCluster.start(options);
  onTestFinished(() => cluster.close());
  return cluster;
}

async function errorOf(operation: Promise<unknown>): Promise<CoterieError> {
  const error: unknown = await operation.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  expect(error).toBeInstanceOf(CoterieError);
  return error as CoterieError;
}

/** What everybody reads and writes in these tests. */
const basket = (cluster: TestCluster, nodes: readonly string[] = cluster.nodes) =>
  cluster.client({ nodes, retries: false }).bucket("default", { codec: text });

describe("a cluster for tests", () => {
  it("serves a client's puts, gets, deletes and scans", async () => {
    const cluster = await startCluster();
    const fruit = basket(cluster);
    const { context } = await fruit.put("cart", "apple");
    expect(await fruit.get("cart")).toMatchObject({ kind: "value", value: "apple" });
    const page = await fruit.scanPage();
    expect(page.entries.map((entry) => entry.text)).toEqual(["cart"]);
    await fruit.delete("cart", { context });
    expect(await fruit.get("cart")).toMatchObject({ kind: "absent" });
  });

  it("keeps siblings, and lets update resolve them", async () => {
    const cluster = await startCluster();
    const [one, two] = [basket(cluster), basket(cluster)];
    await Promise.all([one.put("cart", "apple"), two.put("cart", "pear")]);
    const read = await one.get("cart");
    expect(read.kind === "siblings" && read.values.toSorted()).toEqual(["apple", "pear"]);
    await two.update("cart", (values) => values.toSorted().join(" and "));
    expect(await one.get("cart")).toMatchObject({ kind: "value", value: "apple and pear" });
  });

  it("has the buckets it was asked for", async () => {
    const cluster = await startCluster({ buckets: [{ name: "one", n: 1, r: 1, w: 1 }] });
    const one = cluster.client({ bucket: "one" });
    expect((await one.put("k", "v")).acks).toMatchObject({ primaries: 1, required: 1 });
    expect((await errorOf(cluster.client({ bucket: "none" }).put("k", "v"))).code).toBe(
      "no-such-bucket",
    );
  });

  it("does the same twice from one seed, and something else from another", async () => {
    const run = async (seed: number): Promise<string> => {
      const cluster = await startCluster({ seed });
      const client = cluster.client();
      await Promise.all(["a", "b", "c"].map((key) => client.put(key, key)));
      cluster.crash("n1", "power");
      await client.get("a");
      return cluster.traceHash();
    };
    expect(await run(7)).toBe(await run(7));
    expect(await run(7)).not.toBe(await run(8));
  });
});

describe("virtual time", () => {
  it("passes while an operation is pending and while advance is awaited, never else", async () => {
    const cluster = await startCluster();
    const client = cluster.client();
    const beforeMs = cluster.nowMs;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(cluster.nowMs).toBe(beforeMs);
    await client.put("k", "v");
    const afterMs = cluster.nowMs;
    expect(afterMs).toBeGreaterThan(beforeMs);
    await cluster.advance(3_600_000);
    expect(cluster.nowMs).toBe(afterMs + 3_600_000);
  });

  it("lets what is pending go on while the test advances it", async () => {
    const cluster = await startCluster();
    const client = cluster.client({ timeoutMs: 500 });
    await client.put("k", "v");
    cluster.partition(["clients"], cluster.nodes);
    const beganMs = cluster.nowMs;
    const lost = errorOf(client.put("k", "w"));
    await cluster.advance(100);
    expect(cluster.nowMs).toBe(beganMs + 100);
    expect(await lost).toMatchObject({ code: "timeout", outcome: "unknown" });
    expect(cluster.nowMs).toBeGreaterThanOrEqual(beganMs + 500);
  });
});

describe("faults", () => {
  it("keep what was acknowledged through a power loss of all nodes", async () => {
    const cluster = await startCluster();
    const fruit = basket(cluster);
    await fruit.put("cart", "apple");
    for (const node of cluster.nodes) cluster.crash(node, "power");
    await cluster.advance(1000);
    expect((await errorOf(fruit.get("cart"))).code).toBe("unreachable");
    for (const node of cluster.nodes) await cluster.restart(node);
    await cluster.advance(3000);
    expect(await fruit.get("cart")).toMatchObject({ value: "apple" });
  });

  it("that hit one node are hidden by the client", async () => {
    const cluster = await startCluster();
    const client = cluster.client();
    await client.put("cart", "apple");
    cluster.crash("n1");
    await client.put("cart", "pear");
    await cluster.stop("n2");
    expect((await errorOf(client.put("cart", "fig"))).code).toBe("quorum-not-met");
    await cluster.restart("n1");
    expect((await client.put("cart", "plum")).siblings).toBeGreaterThan(0);
  });

  it("pause a node, which goes on later with what it missed", async () => {
    const cluster = await startCluster();
    const client = basket(cluster, ["n1"]);
    cluster.pause("n2");
    cluster.pause("n3");
    const put = client.put("cart", "apple", { timeoutMs: 5000 });
    await cluster.advance(700);
    cluster.resume("n2");
    cluster.resume("n3");
    expect((await put).acks.primaries).toBeGreaterThanOrEqual(2);
  });

  it("split a cluster: the larger side goes on", async () => {
    const cluster = await startCluster();
    const [small, large] = [basket(cluster, ["n1"]), basket(cluster, ["n2"])];
    await small.put("cart", "apple");
    cluster.partition(["n1"], ["n2", "n3", "clients"]);
    await large.get("cart");
    expect(await large.put("cart", "pear")).toMatchObject({ acks: { primaries: 2 } });
    cluster.heal();
    await cluster.advance(5000);
    expect((await small.get("cart")).kind).toBe("siblings");
  });

  it("hold a message back for as long as the test likes", async () => {
    const cluster = await startCluster();
    const fruit = basket(cluster);
    cluster.hold("n1", "n3");
    cluster.hold("n2", "n3");
    const { context } = await fruit.put("cart", "apple");
    await fruit.delete("cart", { context });
    await cluster.advance(60_000);
    cluster.release("n1", "n3");
    cluster.release("n2", "n3");
    await cluster.advance(1000);
    expect(await fruit.get("cart")).toMatchObject({ kind: "absent" });
  });

  it("of names it does not know are refused", async () => {
    const cluster = await startCluster();
    expect(() => cluster.crash("n4")).toThrow("the cluster has no node n4");
    await expect(cluster.restart("n1")).rejects.toThrow("n1 is up");
  });
});
