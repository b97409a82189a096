import { Cluster } from "ioredis";
import { createCluster } from "redis";
import { expect, it } from "vitest";
import { RealCluster } from "../src/real-cluster.ts";

const keys = Array.from({ length: 200 }, (_, at) => (at % 4 === 0 ? `{tag}:${at}` : `key:${at}`));

/** Writes that reached a node which is no primary of their key, by the nodes' own counts. */
async function forwards(cluster: RealCluster): Promise<number> {
  let sum = 0;
  for (const door of cluster.doors) {
    const metrics = await (await fetch(`http://${door}/metrics`)).text();
    sum += Number(/^coterie_forwards_total (\d+)$/mu.exec(metrics)?.[1] ?? "NaN");
  }
  return sum;
}

it.each(["md5", "redis-slots"])(
  "cluster-aware clients work through every node, with %s",
  async (hash) => {
    // Of five nodes two do not hold a key: what is sent to them is passed on.
    const cluster = await RealCluster.start({
      arguments: ["--memory", "--nodes", "5", "--hash", hash],
    });
    try {
      for (const { id, resp } of cluster.endpoints) {
        const [host = "", port] = resp.split(":");
        const before = await forwards(cluster);
        const redis = new Cluster([{ host, port: Number(port) }]);
        const written = await Promise.all(keys.map((key) => redis.set(key, `${key} by ${id}`)));
        expect(new Set(written)).toEqual(new Set(["OK"]));
        const read = await Promise.all(keys.map((key) => redis.get(key)));
        expect(read).toEqual(keys.map((key) => `${key} by ${id}`));
        // The client drops a node that does not answer at once, and asks for all of them again.
        await expect.poll(() => redis.nodes().length, { timeout: 10_000 }).toBe(5);
        if (hash === "redis-slots") expect(await forwards(cluster)).toBe(before);
        redis.disconnect();
      }
      expect((await forwards(cluster)) > 0).toBe(hash === "md5");

      const rootNodes = cluster.endpoints.map(({ resp }) => ({ url: `redis://${resp}` }));
      for (const root of rootNodes) {
        const client = createCluster({ rootNodes: [root] });
        client.on("error", () => undefined);
        await client.connect();
        expect(client.masters).toHaveLength(5);
        for (const key of keys.slice(0, 20)) await client.set(key, root.url);
        for (const key of keys.slice(0, 20)) expect(await client.get(key)).toBe(root.url);
        client.destroy();
      }
    } finally {
      await cluster.stop();
    }
  },
  120_000,
);
