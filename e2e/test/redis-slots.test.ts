import { Coterie, text } from "@coterie/client";
import { expect, it } from "vitest";
import { Command } from "../src/command.ts";
import { RealCluster } from "../src/real-cluster.ts";

async function json(door: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  return (await (await fetch(`http://${door}${path}`)).json()) as Record<string, unknown>;
}

/** Writes that reached a node which is no primary of their key, by the nodes' own counts. */
async function forwards(cluster: RealCluster): Promise<number> {
  let sum = 0;
  for (const door of cluster.doors) {
    const metrics = await (await fetch(`http://${door}/metrics`)).text();
    sum += Number(/^coterie_forwards_total (\d+)$/mu.exec(metrics)?.[1] ?? "NaN");
  }
  return sum;
}

it("a cluster formed with redis-slots places by slots, and clients route by them", async () => {
  const five = ["--nodes", "5", "--hash", "redis-slots"];
  const cluster = await RealCluster.start({ arguments: five });
  const [first = "", second = ""] = cluster.doors;
  const coterie = new Coterie({ nodes: cluster.endpoints.map(({ grpc }) => grpc) });
  try {
    expect(await json(first, "/v1/cluster")).toMatchObject({ hash: "redis-slots" });
    expect(await json(second, "/v1/ring")).toMatchObject({ hash: "redis-slots", partitions: 64 });

    const bucket = coterie.bucket("redis", { codec: text });
    const keys = Array.from({ length: 100 }, (_, at) => (at % 2 === 0 ? `k${at}` : `{tag}:${at}`));
    const putAll = async (): Promise<number> => {
      const before = await forwards(cluster);
      for (const key of keys) await bucket.put(key, `of ${key}`);
      return (await forwards(cluster)) - before;
    };
    // Not at first: it must have heard of the layout.
    await expect.poll(putAll, { timeout: 30_000 }).toBe(0);
    for (const key of keys) expect(await bucket.get(key)).toMatchObject({ value: `of ${key}` });

    const partitions = new Set<unknown>();
    for (const key of keys.filter((each) => each.startsWith("{tag}"))) {
      const { partition } = await json(second, `/v1/explain/redis/${encodeURIComponent(key)}`);
      partitions.add(partition);
    }
    // CLUSTER KEYSLOT tag is 8338 in Redis.
    expect([...partitions]).toEqual([Math.floor((8338 * 64) / 16_384)]);

    await cluster.kill("n1", "n2", "n3", "n4", "n5");
    await cluster.revive("n1", "n2", "n3", "n4", "n5");
    for (const key of keys) expect(await bucket.get(key)).toMatchObject({ value: `of ${key}` });

    await cluster.kill("n3");
    const other = new Command([...cluster.startWords("n3"), "--hash", "md5"]);
    await other.ended;
    expect(other.output).toContain("hash is redis-slots in the cluster and md5 here");
  } finally {
    await coterie.close();
    await cluster.stop();
  }
}, 120_000);
